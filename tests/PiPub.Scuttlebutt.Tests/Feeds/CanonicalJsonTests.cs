using System.Text;
using PiPub.Scuttlebutt.Feeds.Classic;

namespace PiPub.Scuttlebutt.Tests.Feeds;

/// <summary>The bounds of the writer; that it writes as JavaScript does is shown against Node in the conformance tests.</summary>
public class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{"b":1,"10":2,"9":3,"a":4}""", """{"9":3,"10":2,"b":1,"a":4}""")]
    [InlineData("""{"a":1,"b":2,"a":{"x":[]}}""", """{"a":{"x":[]},"b":2}""")]
    [InlineData("""{"4294967295":1,"4294967294":2,"01":3}""", """{"4294967294":2,"4294967295":1,"01":3}""")]
    [InlineData("""{"__proto__":1,"a":2,"__proto__":3}""", """{"__proto__":3,"a":2}""")]
    [InlineData("""[1.0,1E21,-0,1e-7,0.000001,123456789012345678901]""", "[1,1e+21,0,1e-7,0.000001,123456789012345680000]")]
    [InlineData("""["\u0041\/\u001F\ud83d\ude00\uDEAD"]""", """["A/\u001f😀\udead"]""")]
    public void Texts_are_written_as_JavaScript_writes_them(string text, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Stringify(Encoding.UTF8.GetBytes(text), indented: false)));

    [Fact]
    public void Nesting_is_bounded()
    {
        var json = new CanonicalJson();
        Assert.True(json.TryWrite(Nested(CanonicalJson.MaxDepth), indented: true));
        Assert.False(json.TryWrite(Nested(CanonicalJson.MaxDepth + 2), indented: false));
        Assert.Equal("it is nested too deep", json.Error);
        Assert.False(json.TryWrite(Enumerable.Repeat((byte)'[', 1_000_000).ToArray(), indented: false));
    }

    [Fact]
    public void The_output_is_bounded_however_much_indentation_would_blow_it_up()
    {
        var json = new CanonicalJson(10_000);
        Assert.False(json.TryWrite(Nested(400), indented: true));
        Assert.Equal("the text is too long", json.Error);
        Assert.True(json.TryWrite(Nested(400), indented: false));
        Assert.False(json.TryWrite(new byte[20_000], indented: false));
        Assert.True(json.TryWrite("[]"u8, indented: true));
    }

    [Fact]
    public void An_ordinary_text_costs_no_memory()
    {
        var json = new CanonicalJson();
        var text = Encoding.UTF8.GetBytes("""{"previous":null,"content":{"type":"post","text":"é\n😀 and a longer plain part","list":[1,2.5,{"a":true}]}}""");
        Assert.True(json.TryWrite(text, indented: true));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            json.TryWrite(text, indented: true);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static byte[] Nested(int depth) => Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth));
}
