using FsCheck;
using FsCheck.Fluent;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Views;

public sealed class RunIndexTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Packed_entries_are_unpacked_the_same_and_any_changed_bit_is_noticed()
    {
        var keys = Gen.OneOf(Gen.Choose(0, 3).Select(static n => (long)n), ArbMap.Default.GeneratorFor<long>().Select(static n => n & long.MaxValue));
        var entries = keys.Zip(keys.Zip(Gen.Choose(0, 20_000)), static (key, rest) => new IndexEntry(key, rest.Item1 >> 8, rest.Item2)).NonEmptyListOf().Select(static list => list.Order().ToArray());
        Check.QuickThrowOnFailure(Prop.ForAll(entries.ToArbitrary(), static list =>
        {
            var read = new List<IndexEntry>();
            var written = new List<IndexEntry>();
            var block = new IndexBlock(new byte[IndexBlock.MaxBytes]);
            foreach (var entry in list.TakeWhile((_, i) => i < 500))
            {
                if (block.IsFull)
                {
                    break;
                }

                block.Add(entry);
                written.Add(entry);
            }

            var first = block.First;
            var data = block.Take();
            IndexBlock.Read(data, first.Key, first.Position, read);
            data[written.Count % data.Length] ^= 4;
            return data.Length <= IndexBlock.MaxBytes && read.SequenceEqual(written)
                && Record.Exception(() => IndexBlock.Read(data, first.Key, first.Position, [])) is ViewDamagedException;
        }));
    }

    [Fact]
    public void Pages_are_those_of_a_sorted_list_whatever_was_flushed_merged_and_reloaded()
    {
        var random = new Random(5);
        using var database = new ViewDatabase(_directory["x.sqlite"], RunIndex.RunsSchema + ";" + RunIndex.Schema("numbers"));
        var index = new RunIndex(database, "numbers");
        var model = new SortedSet<IndexEntry>();
        var mostRuns = 0;
        for (var round = 0; round < 60; round++)
        {
            for (var i = random.Next(400); i > 0; i--)
            {
                var entry = new IndexEntry(random.Next(300), random.NextInt64(1L << 40), random.Next(3));
                if (model.Add(entry))
                {
                    index.Add(entry);
                }
            }

            if (random.Next(4) > 0)
            {
                index.Flush();
                database.Commit();
                Assert.Equal(model, index.Written());
                if (random.Next(3) == 0)
                {
                    database.Rollback();
                    index.Load();
                }
            }

            mostRuns = Math.Max(mostRuns, index.RunCount);
            Assert.Equal(model.Count, index.Count);
            for (var question = 0; question < 10; question++)
            {
                var from = new IndexEntry(random.Next(300), random.NextInt64(1L << 40), random.Next(3));
                var to = question == 0 ? from : new IndexEntry(random.Next(310), random.NextInt64(1L << 40), random.Next(3));
                var max = random.Next(1, 500);
                var expected = model.Where(entry => entry >= from && entry < to);
                Assert.Equal(expected.Take(max), index.Page(from, to, reverse: false, max));
                Assert.Equal(expected.Reverse().Take(max), index.Page(from, to, reverse: true, max));
            }
        }

        Assert.InRange(mostRuns, 3, 20);
    }
}
