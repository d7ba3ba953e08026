using System.Text;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Views;

public sealed class ContentReaderTests
{
    private const string Feed = "@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519";
    private const string Post = "%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256";
    private const string Blob = "&AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256";

    [Fact]
    public void Type_and_links_are_found_where_the_field_puts_them()
    {
        var (type, links) = Read($$$"""
            {"previous":null,"content":{"root":"{{{Post}}}","type":"post","mentions":[{"link":"{{{Feed}}}","name":"x"},{"name":"y"},"{{{Blob}}}?unbox=abc",7,null],
            "deep":{"link":{"link":"{{{Post}}}"},"other":{"link":"{{{Blob}}}"}},"image":{"size":1,"link":"{{{Blob}}}"},"text":"see {{{Post}}}"},"signature":"{{{Post}}}"}
            """);
        Assert.Equal("post", type);
        Assert.Equal([("root", Post), ("mentions", Feed), ("mentions", Blob + "?unbox=abc"), ("image", Blob)], links);
    }

    [Theory]
    [InlineData("""{"author":"x","content":"c2VjcmV0.box"}""")]
    [InlineData("""{"author":"x"}""")]
    [InlineData("""{"content":{"type":7}}""")]
    [InlineData("""{"content":{"type":"\ud800"}}""")]
    [InlineData("""{"content":{"\ud800":["@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519"],"x":"\ud800 is half of something that goes on for long enough"}}""")]
    public void What_has_no_type_and_no_links_gives_none(string value)
    {
        var (type, links) = Read(value);
        Assert.Null(type);
        Assert.Empty(links);
    }

    [Fact]
    public void A_long_type_is_cut() => Assert.Equal(new string('x', 32), Read("""{"content":{"type":"TYPE"}}""".Replace("TYPE", new string('x', 40))).Type);

    [Theory]
    [InlineData(Feed, true)]
    [InlineData(Post, true)]
    [InlineData(Blob + "?unbox=a", true)]
    [InlineData("@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256", true)]
    [InlineData("%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519", false)]
    [InlineData("%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=.sha256", false)]
    [InlineData("%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_=.sha256", false)]
    [InlineData("#channel", false)]
    [InlineData("", false)]
    public void A_link_is_an_id_in_its_one_spelling(string text, bool expected) => Assert.Equal(expected, ContentReader.IsLink(text));

    private static (string? Type, List<(string Rel, string Dest)> Links) Read(string value)
    {
        var links = new List<(string, string)>();
        ContentReader.Read(Encoding.UTF8.GetBytes(value), out var type, (rel, dest) => links.Add((rel, dest)));
        return (type, links);
    }
}
