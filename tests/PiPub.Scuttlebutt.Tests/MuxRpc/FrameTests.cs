using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

public class FrameTests
{
    // Whole frames made with packet-stream-codec 1.2.0.
    public static TheoryData<string, BodyType, bool, bool, int, string> Vectors => new()
    {
        { "020000002b000000017b226e616d65223a5b2277686f616d69225d2c2261726773223a5b5d2c2274797065223a2273796e63227d", BodyType.Json, false, false, 1, "{\"name\":[\"whoami\"],\"args\":[],\"type\":\"sync\"}" },
        { "020000000affffffff7b226964223a2278227d", BodyType.Json, false, false, -1, "{\"id\":\"x\"}" },
        { "0600000029ffffffff7b226d657373616765223a226d222c226e616d65223a224572726f72222c22737461636b223a22227d", BodyType.Json, false, true, -1, "{\"message\":\"m\",\"name\":\"Error\",\"stack\":\"\"}" },
        { "0a0000003a000000027b226e616d65223a5b22626c6f6273222c2263726561746557616e7473225d2c2261726773223a5b5d2c2274797065223a22736f75726365227d", BodyType.Json, true, false, 2, "{\"name\":[\"blobs\",\"createWants\"],\"args\":[],\"type\":\"source\"}" },
        { "0e00000004fffffffe74727565", BodyType.Json, true, true, -2, "true" },
        { "090000000300000003616263", BodyType.Utf8, true, false, 3, "abc" },
        { "080000000300000003010203", BodyType.Binary, true, false, 3, "\u0001\u0002\u0003" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Frames_of_the_reference_are_read_and_written_byte_for_byte(string hex, BodyType type, bool stream, bool end, int number, string body)
    {
        var bytes = Convert.FromHexString(hex);
        var frame = Assert.Single(Decode([bytes]));

        Assert.Equal(new FrameHeader(type, stream, end, (uint)body.Length, number), frame.Header);
        Assert.Equal(body, Encoding.UTF8.GetString(frame.Body!));

        var written = new byte[bytes.Length];
        frame.Header.Write(written);
        frame.Body!.CopyTo(written.AsSpan(FrameHeader.Length));
        Assert.Equal(hex, Convert.ToHexStringLower(written));
    }

    [Theory]
    [InlineData("000000000000000000")]
    [InlineData("0e0000000000000000")]
    public void A_frame_without_a_body_and_a_request_is_a_goodbye(string hex)
    {
        var frame = Assert.Single(Decode([Convert.FromHexString(hex)]));
        Assert.True(frame.Header.IsGoodbye);
        Assert.Null(frame.Body);
    }

    [Theory]
    [InlineData("0800000000fffffffe")]
    [InlineData("020000000000000007")]
    public void A_frame_without_a_body_in_a_request_is_an_empty_item(string hex)
    {
        var frame = Assert.Single(Decode([Convert.FromHexString(hex)]));
        Assert.False(frame.Header.IsGoodbye);
        Assert.Empty(frame.Body!);
    }

    [Fact]
    public void Frames_survive_every_way_of_cutting_the_bytes() =>
        Prop.ForAll(
            Gen.Choose(0, int.MaxValue).ToArbitrary(),
            seed =>
            {
                var random = new Random(seed);
                var frames = Enumerable.Range(0, random.Next(8)).Select(_ => RandomFrame(random)).ToArray();
                var decoded = Decode(Cut(Encode(frames), random));
                return frames.Length == decoded.Count
                    && frames.Zip(decoded).All(p => p.First.Header == p.Second.Header && p.First.Body!.AsSpan().SequenceEqual(p.Second.Body));
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Long_bodies_arrive_whole_in_small_pieces()
    {
        var body = new byte[300_001];
        Random.Shared.NextBytes(body);
        var bytes = Encode([new Frame(new FrameHeader(BodyType.Binary, true, false, (uint)body.Length, 5), body)]);

        var frame = Assert.Single(Decode(bytes.Chunk(1000)));
        Assert.Equal(body, frame.Body);
    }

    [Fact]
    public void Random_bytes_give_frames_or_a_clear_refusal_and_nothing_else() =>
        Prop.ForAll(
            Gen.Choose(0, int.MaxValue).ToArbitrary(),
            seed =>
            {
                var random = new Random(seed);
                var bytes = new byte[random.Next(2000)];
                random.NextBytes(bytes);
                if (bytes.Length > 2)
                {
                    bytes[1] = bytes[2] = 0;
                }

                try
                {
                    foreach (var frame in Decode(Cut(bytes, random)))
                    {
                        Assert.Equal(frame.Header.BodyLength, (uint)(frame.Body?.Length ?? 0));
                    }

                    return true;
                }
                catch (RpcProtocolException)
                {
                    return true;
                }
            }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(BodyType.Binary, 1024 * 1024)]
    [InlineData(BodyType.Utf8, 4 * 1024 * 1024)]
    [InlineData(BodyType.Json, 4 * 1024 * 1024)]
    public void A_body_beyond_the_limit_is_refused_from_its_header(BodyType type, int limit)
    {
        var decoder = new FrameDecoder(MuxRpcLimits.Default);
        Assert.False(TryRead(decoder, Header(type, (uint)limit)));

        decoder = new FrameDecoder(MuxRpcLimits.Default);
        Assert.Throws<RpcProtocolException>(() => TryRead(decoder, Header(type, (uint)limit + 1)));
        Assert.Throws<RpcProtocolException>(() => TryRead(decoder, Header(type, uint.MaxValue)));
    }

    [Fact]
    public void A_body_of_no_known_type_is_refused() =>
        Assert.Throws<RpcProtocolException>(() => TryRead(new FrameDecoder(MuxRpcLimits.Default), Header((BodyType)3, 1)));

    [Fact]
    public void Announcing_a_long_body_takes_little_memory()
    {
        var header = Header(BodyType.Json, 4 * 1024 * 1024);
        var decoder = new FrameDecoder(MuxRpcLimits.Default);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(TryRead(decoder, header));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 70_000);
    }

    [Fact]
    public void A_frame_costs_one_array()
    {
        var bytes = Encode([new Frame(new FrameHeader(BodyType.Json, true, false, 600, 1), new byte[600])]);
        var decoder = new FrameDecoder(MuxRpcLimits.Default);
        Assert.True(TryRead(decoder, bytes));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _ = TryRead(decoder, bytes);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 100 * 600, 100 * 640);
    }

    [Fact]
    public void Limits_that_make_no_sense_are_named()
    {
        var e = Assert.Throws<ArgumentException>(() => (MuxRpcLimits.Default with { OutputCeiling = 1 }).Validate());
        Assert.Contains("OutputCeiling is 1; allowed is at least twice OutputHighWater", e.Message, StringComparison.Ordinal);
    }

    private static bool TryRead(FrameDecoder decoder, byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        return decoder.TryRead(ref buffer, out _);
    }

    private static byte[] Header(BodyType type, uint length)
    {
        var bytes = new byte[FrameHeader.Length];
        new FrameHeader(type, true, false, length, 1).Write(bytes);
        return bytes;
    }

    private static Frame RandomFrame(Random random)
    {
        var body = new byte[1 + random.Next(300)];
        random.NextBytes(body);
        return new Frame(new FrameHeader((BodyType)random.Next(3), random.Next(2) == 0, random.Next(2) == 0, (uint)body.Length, random.Next(int.MinValue, int.MaxValue)), body);
    }

    private static byte[] Encode(Frame[] frames)
    {
        var stream = new MemoryStream();
        var header = new byte[FrameHeader.Length];
        foreach (var frame in frames)
        {
            frame.Header.Write(header);
            stream.Write(header);
            stream.Write(frame.Body);
        }

        return stream.ToArray();
    }

    private static List<byte[]> Cut(byte[] bytes, Random random)
    {
        var pieces = new List<byte[]>();
        var longest = random.Next(1, 200);
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(1, longest + 1));
            pieces.Add(bytes.AsSpan(at, length).ToArray());
            at += length;
        }

        return pieces;
    }

    /// <summary>Decodes as a session does: what the decoder leaves is shown to it again with the next piece.</summary>
    private static List<Frame> Decode(IEnumerable<byte[]> pieces)
    {
        var decoder = new FrameDecoder(MuxRpcLimits.Default);
        var frames = new List<Frame>();
        byte[] left = [];
        foreach (var piece in pieces)
        {
            var buffer = new ReadOnlySequence<byte>([.. left, .. piece]);
            while (decoder.TryRead(ref buffer, out var frame))
            {
                frames.Add(frame);
                if (frame.Header.IsGoodbye)
                {
                    return frames;
                }
            }

            left = buffer.ToArray();
            Assert.InRange(left.Length, 0, FrameHeader.Length - 1);
        }

        return frames;
    }
}
