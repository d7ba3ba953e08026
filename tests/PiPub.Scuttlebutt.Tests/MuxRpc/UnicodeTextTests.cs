using System.Text;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

public class UnicodeTextTests
{
    [Theory]
    [InlineData("""["plain","\\ud800","\ud83d\ude00","\n"]""", true)]
    [InlineData("""["\ud800"]""", false)]
    [InlineData("""["\udc00"]""", false)]
    [InlineData("""["\ud800x\udc00"]""", false)]
    [InlineData("""["\ud800\n"]""", false)]
    [InlineData("""["\ud800\ud800\udc00"]""", false)]
    [InlineData("""["\uDBFF\uDFFF\uD7FF\uE000"]""", true)]
    public void Half_a_surrogate_pair_is_found(string json, bool isWhole) => Assert.Equal(isWhole, UnicodeText.IsWhole(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Broken_utf8_is_found() => Assert.False(UnicodeText.IsWhole([(byte)'"', 0xed, 0xa0, 0x80, (byte)'"']));

    [Fact]
    public async Task A_call_with_text_that_is_not_Unicode_is_refused_and_the_boxs_log_stays_clean()
    {
        var methods = new RpcMethods();
        methods.Async("read", RpcCallers.Peer, static (request, _) => new(new RpcBody(BodyType.Json, Encoding.UTF8.GetBytes($"{request.Arg(0).GetString()!.Length}"))));
        await using var pair = new SessionPair(ours: methods);
        var error = await Assert.ThrowsAsync<RpcException>(() => pair.Them.CallAsync("read", """["\ud800"]"""u8.ToArray(), TestContext.Current.CancellationToken));
        Assert.Contains("not Unicode", error.Message, StringComparison.Ordinal);
        Assert.Empty(pair.Failures);
    }
}
