using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Wire;

public class BoxStreamTests
{
    private static readonly Bytes32 Key = KeyPair.Generate().Id.Bytes;
    private static readonly BoxNonce Nonce = new(KeyPair.Generate().Id.AsSpan()[..BoxNonce.Length]);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void The_nonce_is_a_big_endian_counter_that_carries_and_wraps()
    {
        var nonce = new BoxNonce(Convert.FromHexString("0000000000000000000000000000000000000000000000fe"));
        nonce.Increment();
        Assert.Equal("0000000000000000000000000000000000000000000000ff", Convert.ToHexStringLower(nonce.AsSpan()));
        nonce.Increment();
        Assert.Equal("000000000000000000000000000000000000000000000100", Convert.ToHexStringLower(nonce.AsSpan()));

        nonce = new BoxNonce(Convert.FromHexString("00ffffffffffffffffffffffffffffffffffffffffffffff"));
        nonce.Increment();
        Assert.Equal("010000000000000000000000000000000000000000000000", Convert.ToHexStringLower(nonce.AsSpan()));

        nonce = new BoxNonce(Convert.FromHexString("ffffffffffffffffffffffffffffffffffffffffffffffff"));
        nonce.Increment();
        Assert.Equal("000000000000000000000000000000000000000000000000", Convert.ToHexStringLower(nonce.AsSpan()));
    }

    [Fact]
    public void Any_writes_and_any_cutting_of_the_wire_give_back_what_was_said()
    {
        var conversations =
            from writes in Gen.OneOf(Gen.Choose(0, 40), Gen.Choose(4090, 4100), Gen.Choose(0, 20_000)).ArrayOf()
            from cut in Gen.Choose(1, 9000)
            from keep in Gen.Choose(0, 5000)
            select (writes, cut, keep);
        Prop.ForAll(conversations.ToArbitrary(), c =>
        {
            var said = Noise(c.writes.Sum());
            var wire = Seal(said, c.writes);
            var (heard, end) = Open(wire, c.cut, c.keep);
            return heard.AsSpan().SequenceEqual(said) && end == End.Goodbye;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Damage_anywhere_gives_only_a_prefix_of_what_was_said()
    {
        int[] writes = [5, 4097, 1, 700];
        var said = Noise(writes.Sum());
        var wire = Seal(said, writes);
        var damages =
            from position in Gen.Choose(0, wire.Length - 1)
            from bits in Gen.Choose(1, 255)
            from cut in Gen.Choose(1, wire.Length)
            select (position, bits, cut);
        Prop.ForAll(damages.ToArbitrary(), d =>
        {
            var damaged = wire.ToArray();
            damaged[d.position] ^= (byte)d.bits;
            var (heard, end) = Open(damaged, d.cut, 0);
            return heard.Length <= d.position && said.AsSpan().StartsWith(heard) && end == End.Fault;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_cut_connection_ends_without_a_goodbye_and_without_an_error()
    {
        int[] writes = [5, 4097, 1, 700];
        var said = Noise(writes.Sum());
        var wire = Seal(said, writes);
        Prop.ForAll(Gen.Choose(0, wire.Length - 1).ToArbitrary(), length =>
        {
            var (heard, end) = Open(wire[..length], 1000, 0);
            return said.AsSpan().StartsWith(heard) && end == End.HangUp;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Boxes_left_out_repeated_or_swapped_are_refused()
    {
        var wire = Seal("onetwo"u8.ToArray(), [3, 3]);
        const int box = 34 + 3;
        Assert.Equal(End.Fault, Open(wire[box..], 1000, 0).End);
        Assert.Equal(("one", End.Fault), Text(Open([.. wire[..box], .. wire[..box]], 1000, 0)));
        Assert.Equal(End.Fault, Open([.. wire[box..(2 * box)], .. wire[..box]], 1000, 0).End);
        Assert.Equal(("onetwo", End.Goodbye), Text(Open([.. wire, .. wire], 1000, 0)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4097)]
    [InlineData(65535)]
    public async Task Lengths_that_no_box_has_are_refused_before_a_body_is_waited_for(int length)
    {
        var header = new byte[18];
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)length);
        header[17] = 1;
        var wire = new byte[34];
        Sodium.SecretBox(header, Nonce.AsSpan(), Key.AsSpan(), wire.AsSpan(0, 16), wire.AsSpan(16));
        var transport = new PipePair();
        await transport.Server.Output.WriteAsync(wire, Cancelled);
        await transport.Server.Output.CompleteAsync();

        var error = await Assert.ThrowsAsync<BoxStreamException>(
            async () => await new BoxStream(transport.Client, Keys()).Input.ReadAsync(Cancelled));

        Assert.Contains($"{length} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_flush_sends_all_that_was_written_in_as_few_boxes_as_fit_it()
    {
        var transport = new PipePair(new PipeOptions(pauseWriterThreshold: 0));
        var counting = new CountingWriter(transport.Client.Output);
        var stream = new BoxStream(new Transport(transport.Client.Input, counting), Keys());
        for (var i = 0; i < 1000; i++)
        {
            stream.Output.Write("123456789"u8);
        }

        Assert.Equal(9000, stream.Output.UnflushedBytes);
        await stream.Output.FlushAsync(Cancelled);

        Assert.Equal(0, stream.Output.UnflushedBytes);
        Assert.Equal(1, counting.Flushes);
        var sent = await transport.Server.Input.ReadAsync(Cancelled);
        Assert.Equal(9000 + (3 * 34), sent.Buffer.Length);
    }

    [Fact]
    public async Task At_most_one_reads_worth_is_opened_ahead_of_the_reader()
    {
        var said = Noise(1 << 20);
        var transport = new PipePair(new PipeOptions(pauseWriterThreshold: 0));
        await transport.Server.Output.WriteAsync(Seal(said, [said.Length]), Cancelled);
        var input = new BoxStream(transport.Client, Keys()).Input;

        var first = await input.ReadAsync(Cancelled);
        Assert.InRange(first.Buffer.Length, 1, 64 * 1024);
        input.AdvanceTo(first.Buffer.GetPosition(10));

        // Unexamined bytes are there at once, and nothing more is opened for them.
        var second = await input.ReadAsync(Cancelled);
        Assert.Equal(first.Buffer.Length - 10, second.Buffer.Length);
        Assert.False(second.IsCompleted);

        // The rest is opened as it is asked for, though nothing more arrives.
        var heard = 10L;
        for (var result = second; ; _ = input.TryRead(out result))
        {
            heard += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
            if (heard == said.Length)
            {
                break;
            }

            Assert.False(result.Buffer.IsEmpty);
        }
    }

    [Fact]
    public async Task What_was_examined_is_shown_again_only_with_more()
    {
        var wire = Seal("onetwo"u8.ToArray(), [3, 3]);
        var transport = new PipePair();
        var input = new BoxStream(transport.Client, Keys()).Input;
        await transport.Server.Output.WriteAsync(wire.AsMemory(0, 37), Cancelled);
        var one = await input.ReadAsync(Cancelled);
        input.AdvanceTo(one.Buffer.GetPosition(1), one.Buffer.End);
        Assert.False(input.TryRead(out _));

        await transport.Server.Output.WriteAsync(wire.AsMemory(37, 37), Cancelled);
        Assert.True(input.TryRead(out var both));
        Assert.Equal("netwo"u8, both.Buffer.ToArray());
    }

    [Fact]
    public void An_idle_reader_holds_no_buffer()
    {
        var buffer = new PlaintextBuffer();
        _ = buffer.Reserve(100, 100);
        buffer.Commit(100);
        _ = buffer.Reserve(4096, 4096);
        buffer.Commit(4096);
        buffer.Consume(new SequencePosition(buffer.Sequence.Start.GetObject(), 100));
        Assert.Equal(4096, buffer.Sequence.FirstSpan.Length);
        buffer.Consume(buffer.Sequence.End);

        Assert.Equal(0, buffer.Length);
        Assert.False(buffer.Sequence.Start.GetObject() is ReadOnlySequenceSegment<byte>);
    }

    [Fact]
    public async Task A_waiting_read_can_be_cancelled_and_the_stream_goes_on()
    {
        var transport = new PipePair();
        await using var stream = new BoxStream(transport.Client, Keys());
        var reading = stream.Input.ReadAsync(Cancelled);
        Assert.False(reading.IsCompleted);

        stream.Input.CancelPendingRead();
        var cancelled = await reading;
        Assert.True(cancelled.IsCanceled);
        stream.Input.AdvanceTo(cancelled.Buffer.Start);
        Assert.False(stream.Input.TryRead(out _));

        await transport.Server.Output.WriteAsync(Seal("on"u8.ToArray(), [2]), Cancelled);
        var result = await stream.Input.ReadAtLeastAsync(2, Cancelled);
        Assert.False(result.IsCanceled);
        Assert.Equal("on"u8, result.Buffer.ToArray());
    }

    [Fact]
    public async Task A_cancellation_before_the_read_is_kept_for_it()
    {
        var transport = new PipePair();
        await using var stream = new BoxStream(transport.Client, Keys());
        await transport.Server.Output.WriteAsync(Seal("on"u8.ToArray(), [2]), Cancelled);
        stream.Input.CancelPendingRead();

        var cancelled = await stream.Input.ReadAsync(Cancelled);
        Assert.True(cancelled.IsCanceled);
        stream.Input.AdvanceTo(cancelled.Buffer.Start);
        var result = await stream.Input.ReadAsync(Cancelled);
        Assert.False(result.IsCanceled);
        Assert.Equal("on"u8, result.Buffer.ToArray());
    }

    [Fact]
    public async Task Disposing_says_goodbye_and_an_error_does_not()
    {
        var transport = new PipePair();
        await new BoxStream(transport.Client, Keys()).DisposeAsync();
        var goodbye = await transport.Server.Input.ReadAsync(Cancelled);
        Assert.True(goodbye.IsCompleted);
        Assert.Equal(34, goodbye.Buffer.Length);

        transport = new PipePair();
        var stream = new BoxStream(transport.Client, Keys());
        stream.Output.Write("lost"u8);
        await stream.Output.CompleteAsync(new IOException("broken"));
        await Assert.ThrowsAsync<IOException>(async () => await transport.Server.Input.ReadAsync(Cancelled));
    }

    [Fact]
    public async Task Nothing_is_read_or_written_after_completion()
    {
        var transport = new PipePair();
        var stream = new BoxStream(transport.Client, Keys());
        await stream.DisposeAsync();
        await stream.DisposeAsync();
        Assert.Throws<InvalidOperationException>(() => stream.Output.GetSpan());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.Input.ReadAsync(Cancelled));
    }

    private enum End
    {
        Goodbye,
        HangUp,
        Fault,
    }

    private static BoxStreamKeys Keys() => new(Key, Nonce, Key, Nonce);

    private static (string, End) Text((byte[] Heard, End End) opened) => (System.Text.Encoding.ASCII.GetString(opened.Heard), opened.End);

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Seal(byte[] said, int[] writes)
    {
        var transport = new PipePair(new PipeOptions(pauseWriterThreshold: 0));
        var output = new BoxStream(transport.Client, Keys()).Output;
        var at = 0;
        foreach (var length in writes)
        {
            Assert.True(output.WriteAsync(said.AsMemory(at, length), Cancelled).AsTask().IsCompletedSuccessfully);
            at += length;
        }

        output.Complete();
        Assert.True(transport.Server.Input.TryRead(out var sent));
        return sent.Buffer.ToArray();
    }

    /// <summary>Feeds the wire in pieces; reads after each whatever can be read, leaving <paramref name="keep"/> bytes unconsumed.</summary>
    private static (byte[] Heard, End End) Open(byte[] wire, int cut, int keep)
    {
        var transport = new PipePair(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 64));
        var stream = new BoxStream(transport.Client, Keys());
        var heard = new ArrayBufferWriter<byte>();
        try
        {
            for (var at = 0; at < wire.Length; at += cut)
            {
                var piece = wire.AsMemory(at, Math.Min(cut, wire.Length - at));
                Assert.True(transport.Server.Output.WriteAsync(piece, Cancelled).AsTask().IsCompletedSuccessfully);
                Drain(keep);
            }

            transport.Server.Output.Complete();
            while (!Drain(0))
            {
            }

            return (heard.WrittenSpan.ToArray(), stream.EndedWithGoodbye ? End.Goodbye : End.HangUp);
        }
        catch (BoxStreamException)
        {
            return (heard.WrittenSpan.ToArray(), End.Fault);
        }

        bool Drain(int left)
        {
            if (!stream.Input.TryRead(out var result))
            {
                return false;
            }

            var take = result.Buffer.Slice(0, Math.Max(0, result.Buffer.Length - left));
            foreach (var part in take)
            {
                heard.Write(part.Span);
            }

            stream.Input.AdvanceTo(take.End, result.Buffer.End);
            return result.IsCompleted;
        }
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class CountingWriter(PipeWriter inner) : PipeWriter
    {
        public int Flushes { get; private set; }

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            return inner.FlushAsync(cancellationToken);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);
    }
}
