using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.LegacyLogs;
using static PiPub.Scuttlebutt.Tests.LegacyLogs.WrittenLog;

namespace PiPub.Scuttlebutt.Tests.LegacyLogs;

public sealed class AppendOnlyLogTests
{
    private static readonly string[] Texts = [.. Enumerable.Range(0, 60).Select(static i => i + new string('a', i * 97))];

    private static Config Config => Config.QuickThrowOnFailure.WithMaxTest(150);

    [Fact]
    public void Records_are_read_across_blocks_and_deleted_ones_counted()
    {
        var log = AppendOnly(Texts.Select(BipfEnvelope).Append(new byte[50]));
        Assert.Equal(3, log.Length / AppendOnlyLogReader.BlockBytes);
        var reader = new AppendOnlyLogReader(new MemoryStream(log));
        Assert.Equal(Texts.Select(static text => $$"""{"previous":"{{text}}"}"""), ReadAll(reader));
        Assert.Equal((1, 0, log.Length), (reader.Deleted, reader.DamageCount, reader.Position));
        Assert.True(LegacyLogReader.TryRecognise(log.AsSpan(0, LegacyLogReader.HeadBytes), "upload", out var kind));
        Assert.Equal(LegacyLogKind.AppendOnly, kind);
    }

    [Fact]
    public void A_damaged_block_costs_no_other_block()
    {
        var log = AppendOnly(Texts.Select(BipfEnvelope));
        var damage = Gen.Choose(0, AppendOnlyLogReader.BlockBytes - 1).Zip(Gen.ArrayOf(Gen.Choose(0, 255), 400));
        var later = Texts[^5];
        Check.One(Config, Prop.ForAll(damage.ToArbitrary(), d =>
        {
            var (from, bytes) = d;
            var damaged = log.ToArray();
            for (var i = 0; i < bytes.Length && from + i < AppendOnlyLogReader.BlockBytes; i++)
            {
                damaged[from + i] = (byte)bytes[i];
            }

            var reader = new AppendOnlyLogReader(new MemoryStream(damaged));
            Assert.Contains(ReadAll(reader), value => value.Contains(later, StringComparison.Ordinal));
            Assert.All(reader.Damages, place => Assert.True(place.Offset + place.Length <= AppendOnlyLogReader.BlockBytes));
        }));
    }

    [Fact]
    public void A_log_that_ends_within_a_record_says_so()
    {
        var first = BipfEnvelope("one");
        var log = AppendOnly(first, BipfEnvelope("two"));
        var reader = new AppendOnlyLogReader(new MemoryStream(log, 0, first.Length + 10));
        Assert.Equal("""{"previous":"one"}""", Assert.Single(ReadAll(reader)));
        Assert.Equal("the log ends within a record", Assert.Single(reader.Damages).What);
    }

    [Theory]
    [InlineData(1e21, "1e+21")]
    [InlineData(123456789012345680000d, "123456789012345680000")]
    [InlineData(-0.0000001, "-1e-7")]
    [InlineData(0.1, "0.1")]
    [InlineData(1700000000000.001, "1700000000000.001")]
    public void Numbers_are_written_as_JavaScript_does(double number, string expected) =>
        Assert.Equal(expected, Read(Bipf(3, BitConverter.GetBytes(number))));

    [Fact]
    public void Texts_lists_and_constants_are_written_as_JavaScript_does()
    {
        Assert.Equal("""["\"\\\b\f\n\r\t\u0001\u001f/ü😀�",-7,true,false,null,null,{},[]]""", Read(Bipf(4,
            [.. Bipf(0, [.. "\"\\\b\f\n\r\t\u0001\u001f/ü😀"u8, 0xFF]), .. Bipf(2, BitConverter.GetBytes(-7)), .. Bipf(6, [1]), .. Bipf(6, [0]), .. Bipf(6, []), .. Bipf(6, [2]), .. Bipf(5, []), .. Bipf(4, [])])));
        Assert.Equal("""{"b":1}""", Read(BipfObject((Bipf(0, "a"u8), Bipf(6, [2])), (Bipf(0, "b"u8), Bipf(2, BitConverter.GetBytes(1))))));
    }

    [Fact]
    public void What_JSON_cannot_say_or_is_too_deep_is_refused()
    {
        var json = new BipfJson();
        foreach (var wrong in (byte[][])[[], [0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Bipf(1, [1]), Bipf(7, []), Bipf(2, [1]), Bipf(3, [1, 2, 3, 4]), Bipf(6, [3]), Bipf(5, Bipf(2, new byte[4])), [.. Bipf(6, []), 0], Deep(CanonicalJson.MaxDepth + 1)])
        {
            Assert.False(json.TryRead(wrong));
            Assert.NotNull(json.Error);
        }

        Assert.True(json.TryRead(Deep(CanonicalJson.MaxDepth)));
    }

    [Fact]
    public void Any_bytes_are_refused_or_give_JSON()
    {
        var tags = Gen.Elements(0x28, 0x2D, 0x10, 0x1D, 0x05, 0x0E, 0x06, 0x22, 0x43);
        var noise = Gen.ArrayOf(Gen.Frequency((2, tags), (1, Gen.Choose(0, 255))));
        Check.One(Config.WithMaxTest(2000), Prop.ForAll(noise.ToArbitrary(), bytes =>
        {
            var json = new BipfJson();
            if (json.TryRead(bytes.Select(static b => (byte)b).ToArray()))
            {
                Assert.True(new CanonicalJson().TryWrite(json.Written, indented: false));
            }
        }));
    }

    private static byte[] Deep(int lists)
    {
        var value = Bipf(6, []);
        for (var i = 0; i < lists; i++)
        {
            value = Bipf(4, value);
        }

        return value;
    }

    private static string Read(byte[] bipf)
    {
        var json = new BipfJson();
        Assert.True(json.TryRead(bipf), json.Error);
        return Encoding.UTF8.GetString(json.Written);
    }
}
