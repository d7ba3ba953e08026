using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Blobs;

public class BlobLinksTests
{
    private static readonly BlobId One = new(SHA256.HashData("one"u8));
    private static readonly BlobId Two = new(SHA256.HashData("two"u8));
    private static readonly BlobId Three = new(SHA256.HashData("three"u8));

    [Fact]
    public void Ids_are_found_wherever_messages_carry_them()
    {
        var message = $$"""
            {"previous":"%KTGP6/i7L1yPdAaNmoYEbK8dCV8VqQGDxEDGBpXnEn8=.sha256","author":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519",
            "content":{"type":"post","text":"see ![a picture]({{One}}) & more","mentions":[{"link":"{{Two}}?unbox=7P2k7dbzuxFVXl7jqVx%2FXmrRFLMSQsZhAYJ5sXzR7Vg%3D","size":5}],
            "image":{"link":"{{One}}"},"blobs":{"{{Three}}":1} } }
            """;
        Assert.Equal([One, Two, One, Three], Find(message));
    }

    [Fact]
    public void What_only_looks_like_an_id_is_passed_over()
    {
        var text = One.ToString();
        Assert.Empty(Find(text[..^1]));
        Assert.Empty(Find(text + "x"));
        Assert.Empty(Find(text + "_"));
        Assert.Empty(Find(text.Replace(".sha256", ".sha257", StringComparison.Ordinal)));
        Assert.Empty(Find("&" + new string('A', 44) + ".sha256"));
        Assert.Equal([One], Find("&&&" + text + "&"));
        Assert.Equal([One, Two], Find(text + Two));
    }

    [Fact]
    public void A_link_may_carry_a_query()
    {
        Assert.True(BlobLinks.TryParse(Encoding.UTF8.GetBytes(One + "?unbox=abc"), out var id));
        Assert.Equal(One, id);
        Assert.True(BlobLinks.TryParse(Encoding.UTF8.GetBytes(One.ToString()), out _));
        Assert.False(BlobLinks.TryParse(Encoding.UTF8.GetBytes(One + "#x"), out _));
        Assert.False(BlobLinks.TryParse(""u8, out _));
    }

    [Fact]
    public void Every_id_put_into_json_at_any_depth_is_found_in_order()
    {
        var ids = Gen.ArrayOf(Gen.ArrayOf(Gen.Choose(0, 255), 32)).ToArbitrary();
        Prop.ForAll(ids, seeds =>
        {
            var expected = seeds.Select(s => new BlobId([.. s.Select(b => (byte)b)])).ToList();
            var json = new StringBuilder();
            foreach (var id in expected)
            {
                json.Append("{\"a\":[\"text & text\",\"").Append(id).Append("\",");
            }

            json.Append("null");
            for (var i = 0; i < expected.Count; i++)
            {
                json.Append("]}");
            }

            using var valid = JsonDocument.Parse(json.ToString(), new JsonDocumentOptions { MaxDepth = 4096 });
            return Find(json.ToString()).SequenceEqual(expected);
        }).QuickCheckThrowOnFailure();
    }

    private static List<BlobId> Find(string json)
    {
        var found = new List<BlobId>();
        foreach (var id in new BlobLinks(Encoding.UTF8.GetBytes(json)))
        {
            found.Add(id);
        }

        return found;
    }
}
