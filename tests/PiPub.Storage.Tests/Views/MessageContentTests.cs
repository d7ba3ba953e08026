using System.Text;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Views;

public class MessageContentTests
{
    private const string Feed = "@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519";
    private const string Message = "%47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256";
    private const string Blob = "&47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256";

    [Theory]
    [InlineData($$"""{"type":"x","a":"{{Message}}"}""", $"a {Message}")]
    [InlineData($$"""{"type":"x","a":["{{Message}}",1,null,{"link":"{{Feed}}"}]}""", $"a {Message}", $"a {Feed}")]
    [InlineData($$"""{"type":"x","a":{"size":3,"link":"{{Blob}}","name":"n"} }""", $"a {Blob}")]
    [InlineData($$"""{"type":"x","a":{"b":"{{Message}}"} }""", $"a {Message} nested")]
    [InlineData($$"""{"type":"x","a":{"b":{"link":"{{Message}}"} } }""", $"a {Message} nested")]
    [InlineData($$"""{"type":"x","a":[["{{Message}}"],[{"link":"{{Message}}"}]]}""", $"a {Message} nested", $"a {Message} nested")]
    [InlineData($$"""{"type":"x","a":{"link":[7,"{{Message}}"]} }""", $"a {Message} nested")]
    [InlineData($$"""{"type":"x","text":"see ![i]({{Blob}}) and ({{Blob}})"}""", $"text {Blob} nested", $"text {Blob} nested")]
    [InlineData($$"""{"type":"x","a":"{{Blob}}?unbox=abc.boxs"}""", $"a {Blob}?unbox=abc.boxs")]
    [InlineData($$"""{"type":"x","a":" {{Message}}","b":"{{Message}}x","c":"%47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=.sha256"}""")]
    [InlineData($$"""{"type":"x","{{Message}}":1}""")]
    [InlineData($$"""{"\ud800":1,"type":"x","a":"{{Message}}","b":"\ud800{{Blob}}"}""", $"a {Message}")]
    public void Links_are_found_where_they_stand(string content, params string[] expected)
    {
        var links = Read(content).Links.Select(static link => $"{link.Rel} {link.Text}{(link.IsNested ? " nested" : "")}");
        Assert.Equal(expected, links);
    }

    [Fact]
    public void A_long_type_is_found_by_its_first_32_units()
    {
        var type = new string('x', 40);
        var content = Read($$"""{"type":"{{type}}"}""");
        Assert.Equal((type, type[..32]), (content.Type, content.IndexedType));
    }

    [Theory]
    [InlineData(Feed, true)]
    [InlineData(Message, true)]
    [InlineData(Blob + "?unbox=a", true)]
    [InlineData("%iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519", false)]
    [InlineData("%47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=.sha256", false)]
    [InlineData("%47DEQpj8HBSa+_TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256", false)]
    [InlineData("#channel", false)]
    [InlineData("", false)]
    public void A_link_is_an_id_in_its_one_spelling(string text, bool expected) => Assert.Equal(expected, LinkTarget.TryParse(text, out _));

    [Fact]
    public void An_escaped_link_is_the_same_link()
    {
        var escaped = Message.Replace("/", "\\/", StringComparison.Ordinal);
        Assert.Equal(Message, Assert.Single(Read($$"""{"type":"x","a":"{{escaped}}"}""").Links).Target.ToString());
        Assert.Empty(Read($$"""{"type":"x","a":"\ud800{{Message}}{{Message}}"}""").Links);
    }

    [Theory]
    [InlineData("\"following\":true", ContactState.Follow)]
    [InlineData("\"following\":1", ContactState.Neutral)]
    [InlineData("\"following\":false", ContactState.Neutral)]
    [InlineData("\"following\":true,\"blocking\":true", ContactState.Block)]
    [InlineData("\"blocking\":true,\"following\":true", ContactState.Block)]
    [InlineData("\"following\":true,\"blocking\":false", ContactState.Follow)]
    [InlineData("\"flagged\":{\"reason\":\"spam\"}", ContactState.Block)]
    [InlineData("\"flagged\":0", ContactState.Neutral)]
    [InlineData("\"flagged\":\"\"", ContactState.Neutral)]
    [InlineData("\"name\":\"x\"", ContactState.Neutral)]
    [InlineData("\"\\ud800\":[],\"following\":true", ContactState.Follow)]
    public void A_contact_message_says_what_ssb_friends_reads_in_it(string rest, ContactState state)
    {
        var content = Read($$"""{"type":"contact","contact":"{{Feed}}",{{rest}}}""");
        Assert.Equal(Feed, content.Contact?.ToString());
        Assert.Equal(state, content.ContactState);
        Assert.Null(Read($$"""{"type":"contact","contact":"{{Message}}",{{rest}}}""").Contact);
    }

    [Fact]
    public void Content_that_is_encrypted_broken_or_deep_says_what_it_can_and_harms_nothing()
    {
        var content = new MessageContent();
        Assert.True(Read("\"abcd.box\"", content).IsEncrypted);
        Assert.Equal("x", Read("""{"type":"x"}""", content).Type);
        Assert.False(content.IsEncrypted);
        Assert.Null(Read("[1]", content).Type);
        Assert.Null(Read("""{"type":7}""", content).Type);
        Assert.Null(Read("""{"type":"\ud800"}""", content).Type);
        Assert.Null(content.Read(Encoding.UTF8.GetBytes("no json")).Type);
        Assert.Null(content.Read(Encoding.UTF8.GetBytes("{\"content\":{\"type\":\"x\",")).Type);
        Assert.Empty(content.Read(default).Links);
        var deep = string.Concat(Enumerable.Repeat("[", 4000)) + $"\"{Message}\"" + string.Concat(Enumerable.Repeat("]", 4000));
        Assert.True(Assert.Single(Read($$"""{"type":"x","a":{{deep}}}""", content).Links).IsNested);
    }

    [Theory]
    [InlineData($$"""{"host":"pub.example","port":8008,"key":"{{Feed}}"}""", "pub.example", 8008)]
    [InlineData($$"""{"host":"::1","port":"8009","key":"{{Feed}}"}""", "::1", 8009)]
    [InlineData($$"""{"host":"pub.example","key":"{{Feed}}"}""", "pub.example", 8008)]
    [InlineData("\"net:pub.example:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=\"", "pub.example", 8008)]
    [InlineData("\"net:pub.example:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=:c2VlZA==\"", null, 0)]
    [InlineData($$"""{"host":"a b","port":8008,"key":"{{Feed}}"}""", null, 0)]
    [InlineData($$"""{"host":"x","port":0,"key":"{{Feed}}"}""", null, 0)]
    [InlineData($$"""{"host":"x","port":8008.5,"key":"{{Feed}}"}""", null, 0)]
    [InlineData($$"""{"host":"x","port":8008,"key":"{{Message}}"}""", null, 0)]
    [InlineData("7", null, 0)]
    public void A_pub_address_is_read_in_both_forms_and_refused_in_others(string json, string? host, int port)
    {
        var author = PiPub.Scuttlebutt.Identities.FeedId.Parse(Feed);
        var address = PubAddress.Read(Encoding.UTF8.GetBytes(json), author);
        Assert.Equal(host is null ? null : new PubAddress(author, host, port, author), address);
    }

    private static MessageContent Read(string content, MessageContent? reader = null) => (reader ?? new MessageContent()).Read(Encoding.UTF8.GetBytes(
        $$"""{"previous":null,"author":"{{Feed}}","sequence":1,"timestamp":1,"hash":"sha256","content":{{content}},"signature":"s"}"""));
}
