using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Fuzz;

/// <summary>
/// The handshake, both sides. The first byte chooses: raw messages to the server; a right hello with a sealed claim of any content;
/// raw messages to the client; a right answer to it with a sealed proof of any content.
/// </summary>
internal sealed class HandshakeTarget : FuzzTarget
{
    public override string Name => "handshake";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            for (byte way = 0; way < 4; way++)
            {
                yield return [way, .. new byte[176]];
            }

            using var client = new SecretHandshakeClient(Samples.Other, Samples.Self.Id, Samples.Network, Samples.Filled(3));
            using var server = new SecretHandshakeServer(Samples.Self, Samples.Network, Samples.Filled(4));
            var (hello, answer, claim, proof) = (new byte[64], new byte[64], new byte[112], new byte[80]);
            client.WriteHello(hello);
            server.ReadHello(hello);
            server.WriteHello(answer);
            client.ReadHello(answer);
            client.WriteAuthentication(claim);
            _ = server.ReadAuthentication(claim);
            _ = server.WriteAcceptance(proof);
            yield return [0, .. hello, .. claim];
            yield return [2, .. answer, .. proof];
        }
    }

    public override int MaxInput => 256;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var way = input.IsEmpty ? 0 : input[0] & 3;
        Span<byte> message = stackalloc byte[176];
        message.Clear();
        input[Math.Min(1, input.Length)..][..Math.Min(176, Math.Max(0, input.Length - 1))].CopyTo(message);
        try
        {
            if (way < 2)
            {
                Serve(message, isSealed: way == 1);
            }
            else
            {
                Dial(message, isSealed: way == 3);
            }
        }
        catch (HandshakeException)
        {
            // The one answer to a handshake that is none.
        }
    }

    private static void Serve(Span<byte> message, bool isSealed)
    {
        using var server = new SecretHandshakeServer(Samples.Self, Samples.Network, Samples.Filled(4));
        Span<byte> answer = stackalloc byte[112];
        if (!isSealed)
        {
            server.ReadHello(message[..64]);
            server.WriteHello(answer[..64]);
            _ = server.ReadAuthentication(message.Slice(64, 112));
        }
        else
        {
            using var client = new SecretHandshakeClient(Samples.Other, Samples.Self.Id, Samples.Network, Samples.Filled(3));
            client.WriteHello(answer[..64]);
            server.ReadHello(answer[..64]);
            server.WriteHello(answer[..64]);
            client.ReadHello(answer[..64]);
            Sodium.SecretBox(message[..96], HandshakeSecrets.ZeroNonce, client.Secrets.AuthenticationKey, answer[..16], answer[16..]);
            _ = server.ReadAuthentication(answer);
        }

        _ = server.WriteAcceptance(answer[..80]);
    }

    private static void Dial(Span<byte> message, bool isSealed)
    {
        using var client = new SecretHandshakeClient(Samples.Other, Samples.Self.Id, Samples.Network, Samples.Filled(3));
        Span<byte> sent = stackalloc byte[112];
        client.WriteHello(sent[..64]);
        if (!isSealed)
        {
            client.ReadHello(message[..64]);
            client.WriteAuthentication(sent);
            _ = client.ReadAcceptance(message.Slice(64, 80));
            return;
        }

        using var server = new SecretHandshakeServer(Samples.Self, Samples.Network, Samples.Filled(4));
        server.ReadHello(sent[..64]);
        server.WriteHello(sent[..64]);
        client.ReadHello(sent[..64]);
        client.WriteAuthentication(sent);
        _ = server.ReadAuthentication(sent);
        _ = server.WriteAcceptance(sent[..80]);
        Sodium.SecretBox(message[..64], HandshakeSecrets.ZeroNonce, server.Secrets.AcceptanceKey, sent[..16], sent.Slice(16, 64));
        _ = client.ReadAcceptance(sent[..80]);
    }
}

/// <summary>
/// The reader of a box stream. The input says which boxes are sealed (rightly, with a header of one's own, or not at all) and where
/// the wire is cut into segments; what was sealed rightly must come out, whatever the cuts.
/// </summary>
internal sealed class BoxStreamTarget : FuzzTarget
{
    private static readonly Bytes32 Key = new(Samples.Filled(5));
    private static readonly BoxStreamKeys Keys = new(Key, default, Key, default);

    public override string Name => "box-stream";

    public override IEnumerable<byte[]> Seeds =>
    [
        [0, 0, 5, 1, 2, 3, 4, 5, 3],
        [0, 0, 5, 1, 2, 3, 4, 5, 0, 16, 0, .. new byte[4096], 3],
        [1, 0, 18, 0xff, 0xff, .. new byte[16], 0, 0, 1, 9],
        [2, 0, 60, .. new byte[60]],
        [4, 7, 0, 0, 40, .. new byte[40], 0, 0, 40, .. new byte[40]],
    ];

    public override int MaxInput => 12_000;

    // The segments of a wire that is cut at every byte are the test's own.
    public override long AllowedBytes(int length) => (1 << 20) + (4096L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        var wire = new ArrayBufferWriter<byte>(input.Length + 256);
        var expected = new ArrayBufferWriter<byte>(input.Length + 1);
        var script = new Script(input);
        var (nonce, step, isRight) = (default(BoxNonce), 0, true);
        Span<byte> header = stackalloc byte[18];
        while (!script.Rest.IsEmpty)
        {
            switch (script.Byte() % 5)
            {
                case 0:
                    var body = script.Piece();
                    body = body[..Math.Min(body.Length, BoxStream.MaxBodyLength)];
                    if (!body.IsEmpty)
                    {
                        Seal(wire, body, ref nonce);
                        expected.Write(isRight ? body : default);
                    }

                    break;
                case 1:
                    header.Clear();
                    var given = script.Piece();
                    given[..Math.Min(18, given.Length)].CopyTo(header);
                    SealHeader(wire, header, ref nonce);
                    isRight = false;
                    break;
                case 2:
                    var raw = script.Piece();
                    wire.Write(raw);
                    isRight &= raw.IsEmpty;
                    break;
                case 3:
                    header.Clear();
                    SealHeader(wire, header, ref nonce);
                    isRight = false;
                    break;
                default:
                    step = script.Byte();
                    break;
            }
        }

        var read = Read(wire.WrittenSpan, step == 0 ? int.MaxValue : step);
        Require(read.WrittenSpan.StartsWith(expected.WrittenSpan), "what was sealed rightly comes out");
    }

    private static ArrayBufferWriter<byte> Read(ReadOnlySpan<byte> wire, int step)
    {
        var transport = PipeReader.Create(Segment.Split(wire, step));
        var stream = new BoxStream(new Duplex(transport), Keys);
        var read = new ArrayBufferWriter<byte>(wire.Length + 1);
        try
        {
            while (stream.Input.TryRead(out var result))
            {
                foreach (var memory in result.Buffer)
                {
                    read.Write(memory.Span);
                }

                stream.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (BoxStreamException)
        {
            // The one answer to a box that is none.
        }

        stream.Input.Complete();
        return read;
    }

    private static void Seal(ArrayBufferWriter<byte> wire, ReadOnlySpan<byte> body, ref BoxNonce nonce)
    {
        Span<byte> header = stackalloc byte[18];
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)body.Length);
        var next = nonce;
        next.Increment();
        var cipher = new byte[body.Length];
        Sodium.SecretBox(body, next.AsSpan(), Key.AsSpan(), header[2..], cipher);
        SealHeader(wire, header, ref nonce);
        nonce.Increment();
        wire.Write(cipher);
    }

    private static void SealHeader(ArrayBufferWriter<byte> wire, ReadOnlySpan<byte> header, ref BoxNonce nonce)
    {
        var box = wire.GetSpan(34)[..34];
        Sodium.SecretBox(header, nonce.AsSpan(), Key.AsSpan(), box[..16], box[16..]);
        wire.Advance(34);
        nonce.Increment();
    }

    private sealed class Duplex(PipeReader input) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output { get; } = PipeWriter.Create(Stream.Null);
    }
}

/// <summary>Bytes in pieces, as a transport has them.</summary>
internal sealed class Segment : ReadOnlySequenceSegment<byte>
{
    private Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

    public static ReadOnlySequence<byte> Split(ReadOnlySpan<byte> bytes, int step)
    {
        var all = bytes.ToArray();
        var first = new Segment(all.AsMemory(0, Math.Min(step, all.Length)), 0);
        var last = first;
        while (last.RunningIndex + last.Memory.Length < all.Length)
        {
            var at = (int)last.RunningIndex + last.Memory.Length;
            var next = new Segment(all.AsMemory(at, Math.Min(step, all.Length - at)), at);
            last.Next = next;
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
