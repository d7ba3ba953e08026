using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Wire;

/// <summary>A stream sealed by pull-box-stream 1.0.13, byte for byte, in both directions.</summary>
public class BoxStreamVectorTests
{
    private static readonly JsonElement Vector = ConformanceFiles.Vectors.GetProperty("box_stream");

    [Fact]
    public async Task Sealing_gives_the_reference_implementations_bytes()
    {
        var wire = await SealAsync();

        Assert.Equal(Vector.GetProperty("total_len").GetInt32(), wire.Length);
        Assert.Equal(Vector.Hex("first_39_bytes_header_plus_body_of_hello"), wire[..39]);
        Assert.Equal(Vector.Hex("goodbye_34_bytes"), wire[^34..]);
        Assert.Equal(Vector.Hex("sha256_of_whole_wire_bytes_including_goodbye"), SHA256.HashData(wire));
    }

    [Fact]
    public async Task Opening_gives_back_what_was_said_and_sees_the_goodbye()
    {
        // Sealed here, but proven above to be the reference implementation's bytes.
        var transport = new TestTransport();
        await transport.Incoming.Writer.WriteAsync(await SealAsync(), TestContext.Current.CancellationToken);
        await transport.Incoming.Writer.CompleteAsync();
        await using var stream = new BoxStream(transport, Keys());

        var result = await stream.Input.ReadAtLeastAsync(5 + 4097 + 1, TestContext.Current.CancellationToken);

        Assert.True(result.IsCompleted);
        Assert.True(stream.EndedWithGoodbye);
        Assert.Equal("hello" + new string('a', 4097), Encoding.ASCII.GetString(result.Buffer));
    }

    private static async Task<byte[]> SealAsync()
    {
        var transport = new TestTransport();
        var stream = new BoxStream(transport, Keys());
        await stream.Output.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
        await stream.Output.WriteAsync(Enumerable.Repeat((byte)'a', 4097).ToArray(), TestContext.Current.CancellationToken);
        await stream.Output.CompleteAsync();
        var sent = await transport.Outgoing.Reader.ReadAtLeastAsync(int.MaxValue, TestContext.Current.CancellationToken);
        return sent.Buffer.ToArray();
    }

    private static BoxStreamKeys Keys()
    {
        var key = new Bytes32(Vector.Hex("key"));
        var nonce = new BoxNonce(Vector.Hex("nonce"));
        return new BoxStreamKeys(key, nonce, key, nonce);
    }

    private sealed class TestTransport : IDuplexPipe
    {
        public Pipe Incoming { get; } = new();

        public Pipe Outgoing { get; } = new();

        public PipeReader Input => Incoming.Reader;

        public PipeWriter Output => Outgoing.Writer;
    }
}
