using FsCheck;
using FsCheck.Fluent;
using PiPub.Node.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Blobs;

public sealed class BlobQuotaTests
{
    [Fact]
    public void Whoever_must_go_is_farther_away_or_longer_unasked_for_than_all_that_may_stay()
    {
        var blob = from size in Gen.Choose(1, 100)
                   from hops in Gen.Choose(0, 4)
                   from accessed in Gen.Choose(0, 20)
                   from mustStay in Gen.Elements(true, false, false)
                   select (size, hops, accessed, mustStay);
        var cases = from blobs in Gen.ListOf(blob)
                    from newcomer in Gen.Choose(0, 4)
                    from bytes in Gen.Choose(0, 600)
                    select (blobs, newcomer, bytes);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var held = c.blobs.Select((b, i) => (b, Held: Make(i, b.size, b.accessed))).ToList();
            var facts = held.ToDictionary(h => h.Held.Id, h => h.b);
            int? Hops(HeldBlob h) => facts[h.Id].mustStay ? null : facts[h.Id].hops;
            var (victims, sum) = BlobEviction.Choose(held.Select(h => h.Held), Hops, c.newcomer, c.bytes);
            var evictable = held.Select(h => h.Held).Where(h => Hops(h) >= c.newcomer).ToList();
            var staying = evictable.Where(h => !victims.Contains(h)).ToList();
            var neverTouched = victims.All(v => !facts[v.Id].mustStay && facts[v.Id].hops >= c.newcomer);
            var worstFirst = victims.All(v => staying.All(s =>
                facts[v.Id].hops > facts[s.Id].hops || (facts[v.Id].hops == facts[s.Id].hops && v.Accessed <= s.Accessed)));
            var enough = sum == victims.Sum(v => v.Size) && (sum >= c.bytes || staying.Count == 0);
            var noMore = victims.Count == 0 || sum - victims[0].Size < c.bytes;
            return neverTouched && worstFirst && enough && noMore;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task Narrower_limits_hold_at_once_and_what_must_stay_stays()
    {
        await using var node = new BlobNode(new BlobLimits { Total = 100_000, PerAuthor = 100_000 });
        var (near, far) = (NewAuthor(node, 1), NewAuthor(node, 3));
        var own = await node.AddAsync(BlobNode.Bytes(5000, 1));
        var nears = new[] { await node.AddAsync(BlobNode.Bytes(1000, 2), near), await node.AddAsync(BlobNode.Bytes(1000, 3), near), await node.AddAsync(BlobNode.Bytes(1000, 4), near) };
        var fars = await node.AddAsync(BlobNode.Bytes(1000, 5), far);

        node.Blobs.Reconfigure(100_000, 2_000);
        Assert.Equal(2, nears.Count(id => node.Blobs.Size(id) is not null));
        Assert.NotNull(node.Blobs.Size(fars));
        node.Blobs.Reconfigure(7_500, 2_000);
        Assert.Null(node.Blobs.Size(fars));
        Assert.Equal(2, nears.Count(id => node.Blobs.Size(id) is not null));
        node.Blobs.Reconfigure(1_000, 500);
        Assert.All(nears, id => Assert.Null(node.Blobs.Size(id)));
        Assert.NotNull(node.Blobs.Size(own));

        node.Blobs.Reconfigure(100_000, 2_000);
        Assert.NotNull(node.Blobs.TryReserve(new BlobId(System.Security.Cryptography.SHA256.HashData(BlobNode.Bytes(10, 9))), 10, near, out _));
    }

    [Fact]
    public async Task Room_is_made_by_what_is_farthest_and_what_must_stay_stays()
    {
        await using var node = new BlobNode(new BlobLimits { Total = 10_000, PerAuthor = 1_000_000 });
        var (near, far, nobody) = (NewAuthor(node, 1), NewAuthor(node, 3), default(FeedId));
        var own = await node.AddAsync(BlobNode.Bytes(1000, 1));
        var pinned = await node.AddAsync(BlobNode.Bytes(1000, 2), far);
        Assert.True(node.Blobs.Pin(pinned, true));
        var pushed = await node.AddAsync(BlobNode.Bytes(1000, 3), nobody);
        node.Blobs.Push(pushed);
        var nears = await node.AddAsync(BlobNode.Bytes(2000, 4), near);
        var fars = await node.AddAsync(BlobNode.Bytes(2000, 5), far);
        var nobodys = await node.AddAsync(BlobNode.Bytes(2000, 6), nobody);

        await node.AddAsync(BlobNode.Bytes(2000, 7), near);
        Assert.Null(node.Blobs.Size(nobodys));
        Assert.NotNull(node.Blobs.Size(fars));
        Assert.True(node.Blobs.IsRefused(nobodys));
        await node.AddAsync(BlobNode.Bytes(1500, 8), near);
        Assert.Null(node.Blobs.Size(fars));
        Assert.Null(node.Blobs.TryReserve(fars, 2000, far, out var problem));
        Assert.Contains("nearer", problem, StringComparison.Ordinal);
        await node.AddAsync(BlobNode.Bytes(1600, 9), near);
        Assert.Null(node.Blobs.Size(nears));
        foreach (var id in new[] { own, pinned, pushed })
        {
            Assert.NotNull(node.Blobs.Size(id));
        }
    }

    [Fact]
    public async Task One_author_has_only_its_own_room_and_the_owner_all_of_it()
    {
        await using var node = new BlobNode(new BlobLimits { Total = 1_000_000, PerAuthor = 5000 });
        var friend = NewAuthor(node, 1);
        var blobs = new List<BlobId>();
        for (var i = 0; i < 8; i++)
        {
            blobs.Add(await node.AddAsync(BlobNode.Bytes(1000, i), friend));
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }

        Assert.Equal(5000, node.Table.BytesOf(friend));
        Assert.Equal(3, blobs.Count(b => node.Blobs.Size(b) is null));
        Assert.NotNull(node.Blobs.Size(blobs[^1]));
        Assert.Null(node.Blobs.TryReserve(blobs[0], 5001, friend, out _));
        using (node.Blobs.TryReserve(blobs[0], 3000, friend, out _))
        {
            Assert.Null(node.Blobs.TryReserve(blobs[1], 3000, friend, out _));
        }

        using (var again = node.Blobs.TryReserve(blobs[1], 3000, friend, out _))
        {
            Assert.NotNull(again);
        }

        for (var i = 0; i < 8; i++)
        {
            await node.AddAsync(BlobNode.Bytes(1000, 100 + i), node.Id);
        }

        Assert.Equal(8000, node.Table.BytesOf(node.Id));
    }

    [Fact]
    public async Task What_was_asked_for_lately_stays_and_that_is_written_down_in_bulk()
    {
        await using var node = new BlobNode(new BlobLimits { Total = 3000 });
        var friend = NewAuthor(node, 1);
        var first = await node.AddAsync(BlobNode.Bytes(1000, 1), friend);
        await Task.Delay(5, TestContext.Current.CancellationToken);
        var second = await node.AddAsync(BlobNode.Bytes(1000, 2), friend);
        await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.NotNull(await node.ReadAsync(first));
        Assert.Equal(node.Table.Find(first)!.Value.Added, node.Table.Find(first)!.Value.Accessed);
        await node.RestartAsync();
        Assert.NotEqual(node.Table.Find(first)!.Value.Added, node.Table.Find(first)!.Value.Accessed);
        await node.AddAsync(BlobNode.Bytes(1500, 3), friend);
        Assert.NotNull(node.Blobs.Size(first));
        Assert.Null(node.Blobs.Size(second));
    }

    [Fact]
    public async Task Announcing_much_and_sending_nothing_evicts_nothing()
    {
        await using var node = new BlobNode(new BlobLimits { Total = 10_000 });
        var friend = NewAuthor(node, 2);
        var held = await node.AddAsync(BlobNode.Bytes(9000, 1), friend);
        using (var room = node.Blobs.TryReserve(new BlobId(new byte[32]), 9000, friend, out _))
        {
            Assert.NotNull(room);
        }

        Assert.NotNull(node.Blobs.Size(held));
    }

    [Fact]
    public async Task Records_that_were_lost_are_made_again_from_what_is_held()
    {
        await using var node = new BlobNode();
        var (one, two) = (await node.AddAsync(BlobNode.Bytes(1000, 1)), await node.AddAsync(BlobNode.Bytes(2000, 2)));
        node.Table.Remove(one);
        node.Table.Add(new BlobId(new byte[32]), 77, default, false, DateTimeOffset.UtcNow);
        await node.RestartAsync();
        Assert.Equal([one, two], node.Blobs.List().Select(b => b.Id).OrderBy(id => id == two));
        Assert.Equal((2, 3000), node.Table.Totals());
    }

    [Fact]
    public async Task Whatever_comes_and_goes_what_must_stay_stays_and_the_books_agree()
    {
        for (var run = 0; run < 5; run++)
        {
            var random = new Random(run);
            await using var node = new BlobNode(new BlobLimits { Total = 20_000, PerAuthor = 8000 });
            var authors = Enumerable.Range(1, 4).Select(hops => NewAuthor(node, hops)).Append(default).ToList();
            var mustStay = new HashSet<BlobId>();
            for (var step = 0; step < 60; step++)
            {
                var author = random.Next(6) == 0 ? node.Id : authors[random.Next(authors.Count)];
                var size = random.Next(1, 3000);
                using var room = node.Blobs.TryReserve(new BlobId(new byte[32]), size, author, out _);
                if (room is null)
                {
                    continue;
                }

                var id = await node.AddAsync(BlobNode.Bytes(size, (run * 1000) + step), author);
                Assert.NotNull(node.Blobs.Size(id));
                var isKept = author == node.Id || random.Next(10) switch { 0 => node.Blobs.Pin(id, true), 1 => node.Blobs.Push(id), _ => false };
                if (isKept && mustStay.Sum(k => node.Blobs.Size(k)) + size < 15_000)
                {
                    mustStay.Add(id);
                }
                else if (isKept)
                {
                    node.Blobs.Remove(id);
                }

                Assert.All(mustStay, k => Assert.NotNull(node.Blobs.Size(k)));
                Assert.InRange(node.Table.Totals().Bytes, 0, 20_000);
                Assert.Equal(node.Blobs.List().Select(b => (b.Id, b.Size)), node.Held().OrderBy(b => b.Id));
            }
        }
    }

    private static FeedId NewAuthor(BlobNode node, int hops)
    {
        var author = KeyPair.Generate().Id;
        node.Authors.Hops[author] = hops;
        return author;
    }

    private static HeldBlob Make(int number, int size, int accessed)
    {
        var id = new byte[32];
        BitConverter.TryWriteBytes(id, number);
        return new HeldBlob(new BlobId(id), size, default, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddSeconds(accessed), false);
    }
}
