using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Classic;

/// <summary>Messages that ssb-keys and ssb-validate made, and their ids.</summary>
public class ClassicVectorTests
{
    private static readonly JsonElement Classic = Repository.Vectors("classic");
    private static readonly KeyPair Author = KeyPair.FromSeed(Convert.FromHexString(Repository.Vectors("keys").GetProperty("seed_hex").GetString()!));

    [Fact]
    public void The_key_pair_of_a_seed_has_the_known_id()
    {
        var keys = Repository.Vectors("keys");
        Assert.Equal(keys.GetProperty("id").GetString(), Author.Id.ToString());
        Assert.Equal(keys.GetProperty("private").GetString(), Convert.ToBase64String(Author.SecretKey) + ".ed25519");
    }

    [Fact]
    public void The_canonical_text_is_the_known_one()
    {
        var json = new CanonicalJson();
        Assert.True(json.TryWrite(Text("msg1_wire"), indented: true));
        Assert.Equal(Classic.GetProperty("msg1_pretty_utf8_hex").GetString(), Convert.ToHexStringLower(json.Written));
        Assert.True(json.InputWasCompact);
    }

    [Theory]
    [InlineData("msg1_wire", "msg1_id", 1)]
    [InlineData("msg2_wire", "msg2_id", 2)]
    public void A_message_is_verified_and_named(string wire, string id, int sequence)
    {
        Assert.True(ClassicFeed.TryVerify(Text(wire), null, out var message, out var reason), reason);
        Assert.Equal(Classic.GetProperty(id).GetString(), message.Id.ToString());
        Assert.NotEqual(Classic.GetProperty("msg1_id_if_hashed_as_utf8_WRONG").GetString(), message.Id.ToString());
        Assert.Equal(sequence, message.Sequence);
        Assert.Equal(Author.Id, message.Author);
        Assert.Equal(Text(wire), message.Value.ToArray());
    }

    [Fact]
    public void A_message_is_made_again_byte_for_byte()
    {
        var first = ClassicFeed.Create(Author, default, 1500000000000, Content("msg1_wire"));
        Assert.Equal(Text("msg1_wire"), first.Value.ToArray());
        var second = ClassicFeed.Create(Author, new FeedTip(1, first.Id), 1500000000001.5, Content("msg2_wire"));
        Assert.Equal(Text("msg2_wire"), second.Value.ToArray());
        Assert.Equal(FeedOrder.Next, new FeedTip(1, first.Id).Judge(second));
    }

    [Fact]
    public void A_message_HMAC_key_makes_and_checks_its_own_signatures()
    {
        var key = HmacKey.Parse(Classic.GetProperty("hmac_key").GetString());
        var wire = Text("hmac_signed_msg");
        Assert.True(ClassicFeed.TryVerify(wire, key, out _, out var reason), reason);
        Assert.False(ClassicFeed.TryVerify(wire, null, out _, out reason));
        Assert.Equal("its signature does not match its author and text", reason);
        Assert.Equal(wire, ClassicFeed.Create(Author, default, 1, Content("hmac_signed_msg"), key).Value.ToArray());
    }

    private static byte[] Text(string name) => Encoding.UTF8.GetBytes(Classic.GetProperty(name).GetString()!);

    private static byte[] Content(string name) => Encoding.UTF8.GetBytes(JsonElement.Parse(Text(name)).GetProperty("content").GetRawText());
}
