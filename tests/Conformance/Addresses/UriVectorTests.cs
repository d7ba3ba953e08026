using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Addresses;

/// <summary>SSB URIs made with ssb-uri2.</summary>
public class UriVectorTests
{
    [Fact]
    public void Uris_are_the_reference_implementations_both_ways()
    {
        var uris = ConformanceFiles.Vectors.GetProperty("uri");
        var feed = FeedId.Parse(ConformanceFiles.Vectors.GetProperty("keys").GetProperty("id").GetString());
        var message = MessageId.Parse(ConformanceFiles.Vectors.GetProperty("classic").GetProperty("msg1_id").GetString());
        Assert.True(MultiserverAddress.TryParse(ConformanceFiles.Vectors.GetProperty("lan").GetProperty("address").GetString(), out var address));

        Assert.Equal(uris.GetProperty("feed").GetString(), SsbUri.Of(feed));
        Assert.Equal(uris.GetProperty("msg").GetString(), SsbUri.Of(message));
        Assert.Equal(uris.GetProperty("ms").GetString(), SsbUri.Of(address));

        Assert.True(SsbUri.TryReadFeed(uris.GetProperty("feed").GetString(), out var readFeed));
        Assert.Equal(feed, readFeed);
        Assert.True(SsbUri.TryReadMessage(uris.GetProperty("msg").GetString(), out var readMessage));
        Assert.Equal(message, readMessage);
        Assert.True(SsbUri.TryReadAddresses(uris.GetProperty("ms").GetString(), out var readAddresses));
        Assert.Equal([address], readAddresses);
    }
}
