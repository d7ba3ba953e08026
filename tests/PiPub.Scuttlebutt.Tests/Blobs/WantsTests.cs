using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Blobs;

public class WantsTests
{
    private static readonly BlobId One = new(SHA256.HashData("one"u8));
    private static readonly BlobId Two = new(SHA256.HashData("two"u8));

    [Fact]
    public void An_item_is_read_as_javascript_reads_it()
    {
        var escaped = One.ToString().Replace("&", "\\u0026", StringComparison.Ordinal);
        Assert.Equal([(One, -1), (Two, 5_242_879)], Read($$"""{"{{One}}":-1,"{{Two}}":5242879}"""));
        Assert.Equal([(One, -2)], Read($$"""{"{{escaped}}":-2.0}"""));
        Assert.Equal([(Two, -3)], Read($$"""{"{{One}}":1.5,"x":3,"{{One}}":"4","{{One}}":{"{{One}}":[1]},"{{One}}":0,"{{Two}}":-3}"""));
        Assert.Empty(Read("{}"));
        Assert.Empty(Read("[1]"));
        Assert.Empty(Read("null"));
        Assert.Empty(Read($$"""{"{{One}}":1e300}"""));
    }

    [Fact]
    public void Broken_json_is_an_error_and_no_crash()
    {
        foreach (var broken in new[] { "", "{", "{\"", "{\"a\"", "{\"a\":", "{\"a\":}", "{1:2}", $"{{\"{One}\":-1", "{\"a\":\"\\u00", "\u0000" })
        {
            Assert.ThrowsAny<JsonException>(() => Read(broken));
        }
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var entries = Gen.ArrayOf(Gen.Choose(-4, 6_000_000)).ToArbitrary();
        Prop.ForAll(entries, numbers =>
        {
            var writer = new WantsWriter();
            writer.Add(Two, 99);
            writer.Clear();
            var expected = new List<(BlobId, long)>();
            foreach (var number in numbers.Where(n => n != 0))
            {
                var id = new BlobId(SHA256.HashData(BitConverter.GetBytes(expected.Count)));
                writer.Add(id, number);
                expected.Add((id, number));
            }

            return Read(Encoding.UTF8.GetString(writer.End().Span)).SequenceEqual(expected);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sympathy_reaches_three_peers_far()
    {
        var wants = new BlobWants();
        Assert.Equal(-2, wants.Sympathise(One, -1));
        Assert.Equal(-3, new BlobWants().Sympathise(One, -2));
        Assert.Equal(0, new BlobWants().Sympathise(One, -3));
        Assert.Equal(0, new BlobWants().Sympathise(One, long.MinValue + 1));
        Assert.Equal(0, new BlobWants(sympathy: 0).Sympathise(One, -1));
        Assert.Equal(0, wants.Sympathise(One, 7));
    }

    [Fact]
    public void The_nearest_distance_stays_and_only_news_are_told()
    {
        var wants = new BlobWants();
        Assert.Equal(-3, wants.Sympathise(One, -2));
        Assert.Equal(-2, wants.Sympathise(One, -1));
        Assert.Equal(0, wants.Sympathise(One, -2));
        Assert.True(wants.Want(One));
        Assert.False(wants.Want(One));
        Assert.Equal(0, wants.Sympathise(One, -1));
        Assert.Equal(-1, wants.DistanceOf(One));
        Assert.True(wants.Forget(One));
        Assert.False(wants.Forget(One));
        Assert.Equal(0, wants.DistanceOf(One));
    }

    [Fact]
    public void Wants_of_others_are_bounded_and_own_ones_are_not_pushed_out_by_them()
    {
        var wants = new BlobWants(sympathy: 3, maxSympathetic: 10);
        Assert.True(wants.Want(One));
        Assert.Equal(-2, wants.Sympathise(Two, -1));
        Assert.True(wants.Want(Two));
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(-2, wants.Sympathise(new BlobId(SHA256.HashData(BitConverter.GetBytes(i))), -1));
            if (i % 3 == 0)
            {
                Assert.True(wants.Forget(new BlobId(SHA256.HashData(BitConverter.GetBytes(i)))));
            }

            Assert.InRange(wants.Count, 2, 12);
        }

        Assert.Equal(-1, wants.DistanceOf(One));
        Assert.Equal(-1, wants.DistanceOf(Two));
        Assert.Equal(-2, wants.DistanceOf(new BlobId(SHA256.HashData(BitConverter.GetBytes(998)))));
        Assert.Equal(11, wants.Count);
    }

    private static List<(BlobId, long)> Read(string json)
    {
        var read = new List<(BlobId, long)>();
        var reader = new WantsReader(Encoding.UTF8.GetBytes(json));
        while (reader.Read())
        {
            read.Add((reader.Id, reader.Number));
        }

        return read;
    }
}
