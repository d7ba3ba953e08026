using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Addresses;

public class SsbUriTests
{
    private const string Data = "MFilD3Ra9Izn0FMm3xscEwwXKwAnCP_5FjgcotLFdjo=";
    private static readonly Bytes32 Bytes = new(Convert.FromBase64String("MFilD3Ra9Izn0FMm3xscEwwXKwAnCP/5FjgcotLFdjo="));

    [Theory]
    [InlineData("ssb:{0}/classic/" + Data)]
    [InlineData("ssb://{0}/classic/" + Data)]
    [InlineData("ssb:{0}:classic:" + Data)]
    [InlineData("SSB:{0}/classic/" + Data)]
    [InlineData("ssb:{0}/classic/" + Data + "?unbox=x")]
    public void Every_spelling_is_read(string form)
    {
        Assert.True(SsbUri.TryReadFeed(string.Format(form, "feed"), out var feed));
        Assert.Equal(Bytes, feed.Bytes);
        Assert.True(SsbUri.TryReadMessage(string.Format(form, "message"), out var message));
        Assert.Equal(Bytes, message.Bytes);
        Assert.True(SsbUri.TryReadBlob(string.Format(form, "blob"), out var blob));
        Assert.Equal(Bytes, blob.Bytes);

        Assert.False(SsbUri.TryReadBlob(string.Format(form, "message"), out _));
        Assert.False(SsbUri.TryReadFeed(string.Format(form, "blob"), out _));
    }

    [Fact]
    public void Older_format_names_are_read()
    {
        Assert.True(SsbUri.TryReadFeed("ssb:feed/ed25519/" + Data, out _));
        Assert.True(SsbUri.TryReadMessage("ssb:message/sha256/" + Data, out _));
        Assert.True(SsbUri.TryReadBlob("ssb:blob/sha256/" + Data, out _));
        Assert.False(SsbUri.TryReadFeed("ssb:feed/sha256/" + Data, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssb:")]
    [InlineData("ssb:feed")]
    [InlineData("ssb:feed/classic")]
    [InlineData("ssb:feed/classic/")]
    [InlineData("ssb:feed/classic:" + Data)]
    [InlineData("ssb:feed/bendybutt-v1/" + Data)]
    [InlineData("ssb:feed/classic/MFilD3Ra9Izn0FMm3xscEwwXKwAnCP/5FjgcotLFdjo=")]
    [InlineData("ssb:feed/classic/MFilD3Ra9Izn0FMm3xscEwwXKwAnCP_5FjgcotLFdjp=")]
    [InlineData("ssb:feed/classic/MFilD3Ra9Izn0FMm3xscEwwXKwAnCP_5FjgcotLFdjo")]
    [InlineData("ssb:feed/classic/" + Data + "/" + Data)]
    [InlineData("http:feed/classic/" + Data)]
    public void What_is_no_uri_of_a_classic_feed_is_refused(string text) => Assert.False(SsbUri.TryReadFeed(text, out _));

    [Theory]
    [InlineData("ssb:address/multiserver?multiserverAddress=net%3A10.0.0.1%3A8008~shs%3Aiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w%3D")]
    [InlineData("ssb://address/multiserver?multiserverAddress=net%3A10.0.0.1%3A8008~shs%3Aiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w%3D&more=1")]
    [InlineData("ssb:address:multiserver?other=x&multiserverAddress=net:10.0.0.1:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")]
    public void Addresses_are_read_out_of_their_uri(string uri)
    {
        Assert.True(SsbUri.TryReadAddresses(uri, out var addresses));
        Assert.Equal("net:10.0.0.1:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=", Assert.Single(addresses).ToString());
        Assert.True(MultiserverAddress.TryParseAny(uri, out _));
    }

    [Fact]
    public void A_key_with_a_plus_survives_a_uri_that_was_not_encoded()
    {
        var key = FeedId.Parse("@++++3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519");
        var address = MultiserverAddress.Of(MultiserverTransport.Net, "10.0.0.1", 8008, key);
        Assert.True(SsbUri.TryReadAddresses("ssb:address/multiserver?multiserverAddress=" + address, out var plain));
        Assert.True(SsbUri.TryReadAddresses(SsbUri.Of(address), out var encoded));
        Assert.Equal(address, Assert.Single(plain));
        Assert.Equal(address, Assert.Single(encoded));
    }

    [Fact]
    public void An_invites_seed_does_not_get_into_a_uri()
    {
        var address = MultiserverAddress.Of(MultiserverTransport.Net, "10.0.0.1", 8008, new FeedId(Bytes), Bytes);
        Assert.Equal(SsbUri.Of(address.WithoutSeed()), SsbUri.Of(address));
    }
}
