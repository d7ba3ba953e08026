using System.Text.Json;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Queries;

public sealed class MessageFilterTests
{
    private const string Message = """{"key":"%a","value":{"author":"@b","sequence":7,"content":{"type":"post","channel":"garden","root":null,"tags":["x","y"],"on":true} } }""";

    // As map-filter-reduce 3.0.0 answers.
    [Theory]
    [InlineData("""{}""", true)]
    [InlineData("""{"value":{"content":{"channel":"garden"} } }""", true)]
    [InlineData("""{"value":{"content":{"channel":"Garden"} } }""", false)]
    [InlineData("""{"value":{"content":{"channel":{"$prefix":"gar"} } } }""", true)]
    [InlineData("""{"value":{"content":{"channel":{"$prefix":"den"} } } }""", false)]
    [InlineData("""{"value":{"sequence":7}}""", true)]
    [InlineData("""{"value":{"sequence":"7"}}""", false)]
    [InlineData("""{"value":{"sequence":{"$gt":6,"$lte":7} } }""", true)]
    [InlineData("""{"value":{"sequence":{"$gt":7} } }""", false)]
    [InlineData("""{"value":{"sequence":{"$lt":8,"$gte":8} } }""", false)]
    [InlineData("""{"value":{"content":{"channel":{"$gt":"flower","$lt":"grass"} } } }""", true)]
    [InlineData("""{"value":{"content":{"missing":{"$gt":0} } } }""", false)]
    [InlineData("""{"value":{"content":{"missing":{} } } }""", false)]
    [InlineData("""{"value":{"content":{"root":null} } }""", true)]
    [InlineData("""{"value":{"content":{"missing":null} } }""", false)]
    [InlineData("""{"value":{"content":{"on":true} } }""", true)]
    [InlineData("""{"value":{"content":{"tags":["x"]} } }""", true)]
    [InlineData("""{"value":{"content":{"tags":["y"]} } }""", false)]
    [InlineData("""{"value":{"author":{"x":1} } }""", false)]
    public void Messages_fit_a_pattern_as_ssb_query_has_it(string pattern, bool fits) =>
        Assert.Equal(fits, MessageFilter.Compile(JsonElement.Parse(pattern))(JsonElement.Parse(Message)));

    [Fact]
    public void A_prefix_is_a_text() => Assert.Throws<RpcException>(() => MessageFilter.Compile(JsonElement.Parse("""{"$prefix":7}""")));
}
