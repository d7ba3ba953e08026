using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.LegacyLogs;
using static PiPub.Scuttlebutt.Tests.LegacyLogs.WrittenLog;

namespace PiPub.Scuttlebutt.Tests.LegacyLogs;

public sealed class FlumeLogTests
{
    private static readonly string[] Values = [.. Enumerable.Range(0, 40).Select(static i => $$"""{"previous":{{i}},"content":"{{new string('ü', i * 37)}}{}"}""")];

    private static Config Config => Config.QuickThrowOnFailure.WithMaxTest(150);

    [Theory]
    [InlineData(4, 32)]
    [InlineData(6, 48)]
    [InlineData(8, 53)]
    public void Each_variant_is_known_by_its_trailing_fields(int width, int bits)
    {
        var log = Flume(width, Values.Select(Envelope).Prepend(null).Append(null));
        var reader = new FlumeLogReader(new MemoryStream(log));
        Assert.Equal(Values, ReadAll(reader));
        Assert.Equal((bits, 2, 0, log.Length), (reader.PositionBits, reader.Deleted, reader.DamageCount, reader.Position));
        Assert.True(LegacyLogReader.TryRecognise(log.AsSpan(0, LegacyLogReader.HeadBytes), "upload", out var kind));
        Assert.Equal(LegacyLogKind.Flume, kind);
    }

    [Fact]
    public void A_log_that_was_cut_off_anywhere_gives_what_is_whole()
    {
        var log = Flume(4, Values.Take(5).Select(Envelope));
        var ends = Enumerable.Range(1, 5).Select(count => Flume(4, Values.Take(count).Select(Envelope)).Length).ToArray();
        for (var length = 0; length <= log.Length; length++)
        {
            var reader = new FlumeLogReader(new MemoryStream(log, 0, length));
            var whole = ends.Count(end => end <= length);
            Assert.Equal(Values.Take(whole), ReadAll(reader));
            Assert.Equal(length == 0 || ends.Contains(length) ? 0 : 1, reader.DamageCount);
        }
    }

    [Fact]
    public void Whatever_bytes_are_damaged_only_the_records_there_are_lost()
    {
        var log = Flume(4, Values.Select(Envelope));
        var damage = Gen.Choose(0, log.Length - 1).Zip(Gen.Choose(1, 3000)).Zip(Gen.ArrayOf(Gen.Choose(0, 255), 3000));
        Check.One(Config, Prop.ForAll(damage.ToArbitrary(), d =>
        {
            var ((from, length), bytes) = d;
            var damaged = log.ToArray();
            var to = Math.Min(damaged.Length, from + length);
            for (var i = from; i < to; i++)
            {
                damaged[i] = (byte)bytes[i - from];
            }

            var untouched = new List<string>();
            for (var (i, at) = (0, 0); i < Values.Length; i++)
            {
                var end = at + Flume(4, Envelope(Values[i])).Length;
                if (end <= from || at >= to || damaged.AsSpan(at, end - at).SequenceEqual(log.AsSpan(at, end - at)))
                {
                    untouched.Add(Values[i]);
                }

                at = end;
            }

            var read = ReadAll(new FlumeLogReader(new MemoryStream(damaged)));
            Assert.Superset(untouched.ToHashSet(), read.ToHashSet());
            Assert.Equal(untouched, read.Where(untouched.Contains));
        }));
    }

    [Fact]
    public void Bytes_missing_from_the_middle_cost_only_the_record_there_and_are_told()
    {
        var log = Flume(4, Values.Select(Envelope));
        var reader = new FlumeLogReader(new MemoryStream([.. log.AsSpan(0, 3000), .. log.AsSpan(3013)]));
        var read = ReadAll(reader);
        Assert.Equal(Values.Length - 1, read.Count);
        Assert.Equal(Values[^1], read[^1]);
        var damage = Assert.Single(reader.Damages);
        Assert.Equal("the records here are torn", damage.What);
        Assert.InRange(3000, damage.Offset, damage.Offset + damage.Length);
    }

    [Fact]
    public void A_length_that_lies_takes_no_memory_and_the_next_record_is_found()
    {
        byte[] lie = [0x7F, 0xFF, 0xFF, 0xFF, (byte)'{'];
        var reader = new FlumeLogReader(new MemoryStream([.. lie, .. Flume(4, Envelope(Values[3]))]));
        Assert.Empty(ReadAll(reader));

        // Where records have been read before, the positions that follow are understood although they are shifted.
        reader = new FlumeLogReader(new MemoryStream([.. Flume(4, Envelope(Values[1])), .. lie, .. Flume(4, Values.Select(Envelope))]));
        Assert.Equal(Values.Prepend(Values[1]), ReadAll(reader));
        Assert.Equal(1, reader.DamageCount);
    }

    [Fact]
    public void A_record_that_is_no_message_is_passed_over()
    {
        var reader = new FlumeLogReader(new MemoryStream(Flume(8, Envelope(Values[0]), "[1,2]", "{\"value\":3}", "{{{{", Envelope(Values[1]))));
        Assert.Equal(Values.Take(2), ReadAll(reader));
        Assert.Equal(3, reader.DamageCount);
    }

    [Fact]
    public void Any_bytes_at_all_are_read_to_their_end()
    {
        var noise = Gen.ArrayOf(Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Constant((int)'{')), (1, Gen.Constant((int)'}')), (4, Gen.Choose(0, 255))));
        Check.One(Config, Prop.ForAll(noise.ToArbitrary(), bytes =>
        {
            var log = bytes.Select(static b => (byte)b).ToArray();
            foreach (var kind in Enum.GetValues<LegacyLogKind>())
            {
                var reader = LegacyLogReader.Create(kind, new MemoryStream(log));
                _ = ReadAll(reader);
                Assert.Equal(log.Length, reader.Position);
                _ = LegacyLogReader.TryRecognise(log.AsSpan(0, Math.Min(log.Length, LegacyLogReader.HeadBytes)), "", out _);
            }
        }));
    }

    [Fact]
    public void A_long_log_of_braces_is_read_in_one_pass()
    {
        // Each brace may begin a record: looking at each must cost the same, or a hostile file would keep the box busy.
        var log = new byte[8 << 20];
        log.AsSpan().Fill((byte)'{');
        var reader = new FlumeLogReader(new MemoryStream(log));
        Assert.Empty(ReadAll(reader));
        Assert.Equal((log.Length, 1), (reader.Position, reader.DamageCount));
    }
}
