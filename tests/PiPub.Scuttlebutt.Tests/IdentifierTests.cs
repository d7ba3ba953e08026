using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests;

public class IdentifierTests
{
    [Fact]
    public void A_feed_id_has_one_spelling()
    {
        const string text = "@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519";
        Assert.Equal(text, FeedId.Parse(text).ToString());
        Assert.False(FeedId.TryParse(text.Replace("b1w=", "b1x=", StringComparison.Ordinal), out _));
        Assert.False(FeedId.TryParse(text.Replace(".ed25519", ".sha256", StringComparison.Ordinal), out _));
        Assert.False(FeedId.TryParse(" " + text, out _));
        Assert.Throws<FormatException>(() => FeedId.Parse("@x.ed25519"));
    }
}
