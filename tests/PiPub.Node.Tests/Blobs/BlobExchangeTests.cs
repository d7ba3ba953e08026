using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Blobs;

public sealed class BlobExchangeTests
{
    private const int Largest = (5 * 1024 * 1024) - 1;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(Largest)]
    public async Task What_one_has_and_the_other_wants_changes_hands(int size)
    {
        await using var alice = new BlobNode();
        await using var bob = new BlobNode();
        await using var link = Link.Join(alice, bob);
        var bytes = BlobNode.Bytes(size, size);
        var id = await alice.AddAsync(bytes);
        await bob.Exchange.WantAsync(id, bob.Id, Cancellation);
        Assert.Equal(bytes, await bob.ReadAsync(id));
        Assert.Equal(0, bob.Exchange.WantCount);
        Assert.Empty(bob.Table.Wants());
    }

    [Fact]
    public async Task A_want_finds_its_way_through_two_boxes_that_do_not_care()
    {
        await using var owner = new BlobNode();
        await using var first = new BlobNode();
        await using var second = new BlobNode();
        await using var seeker = new BlobNode();
        await using var one = Link.Join(owner, first);
        await using var two = Link.Join(first, second);
        await using var three = Link.Join(second, seeker);
        var bytes = BlobNode.Bytes(100_000, 1);
        var id = await owner.AddAsync(bytes);
        await seeker.Exchange.WantAsync(id, seeker.Id, Cancellation);
        Assert.Equal(bytes, await seeker.ReadAsync(id));
        Assert.Equal(bytes.Length, first.Blobs.Size(id));
    }

    [Fact]
    public async Task A_want_goes_no_farther_than_sympathy()
    {
        await using var owner = new BlobNode();
        await using var pub = new BlobNode(new BlobLimits { Sympathy = 0 });
        await using var seeker = new BlobNode();
        await using var one = Link.Join(owner, pub);
        await using var two = Link.Join(pub, seeker);
        var other = await pub.AddAsync(BlobNode.Bytes(10, 2));
        seeker.Exchange.Want(await owner.AddAsync(BlobNode.Bytes(10, 1)), seeker.Id);
        await seeker.Exchange.WantAsync(other, seeker.Id, Cancellation);
        Assert.Equal(0, pub.Exchange.WantCount);
    }

    [Fact]
    public async Task A_pushed_blob_spreads_until_three_have_it_over_a_restart_and_stays_until_then()
    {
        await using var phone = new BlobNode();
        var id = await phone.AddAsync(BlobNode.Bytes(5000, 3));
        phone.Exchange.Push(id, phone.Id);
        Assert.Equal([id], phone.Blobs.Pushes());
        for (var peers = 1; peers <= 3; peers++)
        {
            await using var pub = new BlobNode();
            await using (Link.Join(phone, pub))
            {
                await Eventually.IsTrueAsync(() => pub.Blobs.Size(id) == 5000, "a pub takes the pushed blob");
                await Eventually.IsTrueAsync(() => phone.Blobs.Pushes().Count == 0 || phone.Table.Pushes()[id].Count == peers, "the phone hears that the pub has it");
                await using (Link.Join(phone, pub))
                {
                    // The same peer again is no other peer.
                    await Task.Delay(50, Cancellation);
                }
            }

            Assert.Equal(peers < 3 ? 1 : 0, phone.Blobs.Pushes().Count);
            await phone.RestartAsync();
            Assert.Equal(peers < 3 ? 1 : 0, phone.Blobs.Pushes().Count);
        }
    }

    [Fact]
    public async Task Wants_outlast_a_restart_and_a_peer_that_comes_later_fulfils_them()
    {
        await using var alice = new BlobNode();
        await using var bob = new BlobNode();
        var id = await alice.AddAsync(BlobNode.Bytes(5000, 3));
        bob.Exchange.Want(id, bob.Id);
        await bob.RestartAsync();
        await using var link = Link.Join(alice, bob);
        await Eventually.IsTrueAsync(() => bob.Blobs.Size(id) == 5000, "the wanted blob comes");
    }

    [Fact]
    public async Task What_is_too_large_is_not_fetched_nor_added()
    {
        await using var bob = new BlobNode();
        var peer = new FakePeer();
        var id = peer.Offer(BlobNode.Bytes(10, 1), announced: Largest + 1);
        var good = peer.Offer(BlobNode.Bytes(10, 2));
        bob.Exchange.Want(id, bob.Id);
        bob.Exchange.Want(good, bob.Id);
        await using (Link.Join(peer.Methods, bob))
        {
            await Eventually.IsTrueAsync(() => bob.Blobs.Size(good) == 10, "the other blob comes");
        }

        Assert.Equal([good], peer.Asked);
        await using var call = Link.Call(bob, asOwner: true);
        Assert.Equal("Cannot add blob, it's bigger than blobs.max", await AddAsync(call, BlobNode.Bytes(Largest + 1, 1)));
        Assert.Null(await AddAsync(call, BlobNode.Bytes(Largest, 1)));
    }

    [Fact]
    public async Task Whoever_sends_more_or_other_bytes_than_promised_is_left_for_another_peer()
    {
        await using var bob = new BlobNode();
        var bytes = BlobNode.Bytes(300_000, 1);
        var id = new BlobId(SHA256.HashData(bytes));
        bob.Exchange.Want(id, bob.Id);
        var tooMuch = new FakePeer();
        tooMuch.Offer(bytes, announced: 1000);
        var wrong = new FakePeer();
        wrong.Offer(bytes, sent: BlobNode.Bytes(300_000, 2));
        var broken = new FakePeer();
        broken.Offer(bytes, error: "could not get blob");
        foreach (var peer in new[] { tooMuch, wrong, broken })
        {
            await using (Link.Join(peer.Methods, bob))
            {
                await Eventually.IsTrueAsync(() => peer.Asked.Count == 1 && peer.Served == 1, "the bad peer is asked");
                peer.Announce(id, 1000);
                await Task.Delay(50, Cancellation);
                Assert.Single(peer.Asked);
                Assert.Null(bob.Blobs.Size(id));
            }
        }

        await using (Link.Join(tooMuch.Methods, bob))
        await using (Link.Join(wrong.Methods, bob))
        {
            await Eventually.IsTrueAsync(() => tooMuch.Asked.Count == 2 && wrong.Asked.Count == 2, "both are asked once more, after connecting anew");
            var good = new FakePeer();
            good.Offer(bytes);
            await using (Link.Join(good.Methods, bob))
            {
                await Eventually.IsTrueAsync(() => bob.Blobs.Size(id) == 300_000, "the good peer's blob comes");
            }
        }
    }

    [Fact]
    public async Task A_peer_that_falls_silent_is_left_for_another()
    {
        await using var bob = new BlobNode(new BlobLimits { Silence = TimeSpan.FromMilliseconds(200) });
        var bytes = BlobNode.Bytes(300_000, 1);
        var silent = new FakePeer();
        var id = silent.Offer(bytes, sendOnly: 65_536);
        var good = new FakePeer();
        good.Offer(bytes);
        bob.Exchange.Want(id, bob.Id);
        await using (Link.Join(silent.Methods, bob))
        {
            await Eventually.IsTrueAsync(() => silent.Asked.Count == 1, "the silent peer is asked");
            await using (Link.Join(good.Methods, bob))
            {
                await Eventually.IsTrueAsync(() => bob.Blobs.Size(id) is not null, "the other peer's blob comes");
                await Eventually.IsTrueAsync(() => silent.Aborted == 1, "the silent peer is told to stop");
            }
        }
    }

    [Fact]
    public async Task One_blob_at_a_time_comes_from_a_peer_and_a_few_in_all()
    {
        await using var bob = new BlobNode(new BlobLimits { Downloads = 3 });
        var peers = Enumerable.Range(0, 6).Select(_ => new FakePeer { Hold = new SemaphoreSlim(0) }).ToList();
        var ids = new List<BlobId>();
        for (var i = 0; i < 30; i++)
        {
            ids.Add(peers[i % 6].Offer(BlobNode.Bytes(100, i)));
            bob.Exchange.Want(ids[^1], bob.Id);
        }

        var links = peers.ConvertAll(peer => Link.Join(peer.Methods, bob));
        await Eventually.IsTrueAsync(() => peers.Sum(p => p.Asked.Count) == 3, "three are asked");
        await Task.Delay(100, Cancellation);
        Assert.Equal(3, peers.Sum(p => p.Asked.Count));
        Assert.All(peers, p => Assert.InRange(p.Asked.Count, 0, 1));
        peers.ForEach(p => p.Hold!.Release(100));
        await Eventually.IsTrueAsync(() => ids.TrueForAll(id => bob.Blobs.Size(id) == 100), "all come in the end");
        foreach (var link in links)
        {
            await link.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_peer_of_before_createWants_is_asked_and_listened_to()
    {
        await using var bob = new BlobNode();
        var peer = new FakePeer(legacy: true);
        var held = peer.Offer(BlobNode.Bytes(100, 1));
        bob.Exchange.Want(held, bob.Id);
        await using var link = Link.Join(peer.Methods, bob);
        await Eventually.IsTrueAsync(() => bob.Blobs.Size(held) == 100, "what it has comes");
        var later = new BlobId(SHA256.HashData(BlobNode.Bytes(100, 2)));
        bob.Exchange.Want(later, bob.Id);
        await Eventually.IsTrueAsync(() => peer.AskedHas.Contains(later), "it is asked for a new want");
        peer.Offer(BlobNode.Bytes(100, 2));
        peer.Announce(later, 100);
        await Eventually.IsTrueAsync(() => bob.Blobs.Size(later) == 100, "what it gets later comes");
    }

    [Fact]
    public async Task Wants_are_told_first_of_all_then_news_and_an_empty_list_when_there_are_none()
    {
        await using var bob = new BlobNode();
        await using var link = Link.Call(bob);
        var stream = link.Open("blobs.createWants", CallType.Source, "[]");
        Assert.Equal("{}", Encoding.UTF8.GetString((await stream.ReadAsync(Cancellation))!.Value.Bytes.Span));
        var (one, two) = (new BlobId(SHA256.HashData("1"u8)), new BlobId(SHA256.HashData("2"u8)));
        bob.Exchange.Want(one, bob.Id);
        Assert.Equal($$"""{"{{one}}":-1}""", Encoding.UTF8.GetString((await stream.ReadAsync(Cancellation))!.Value.Bytes.Span));
        Assert.False((await link.AskAsync("blobs.has", $"[\"{two}\"]")).GetBoolean());
        Assert.Equal($$"""{"{{two}}":-2}""", Encoding.UTF8.GetString((await stream.ReadAsync(Cancellation))!.Value.Bytes.Span));
        var three = await bob.AddAsync(BlobNode.Bytes(7, 1));
        Assert.Equal($$"""{"{{three}}":7}""", Encoding.UTF8.GetString((await stream.ReadAsync(Cancellation))!.Value.Bytes.Span));

        var again = link.Open("blobs.createWants", CallType.Source, "[]");
        var all = JsonElement.Parse((await again.ReadAsync(Cancellation))!.Value.Bytes.Span);
        Assert.Equal(new Dictionary<string, int> { [one.ToString()] = -1, [two.ToString()] = -2 }, all.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32()));
        Assert.Null(await stream.ReadAsync(Cancellation));
    }

    [Fact]
    public async Task Ten_thousand_wants_cross_in_pieces_and_are_all_answered()
    {
        await using var alice = new BlobNode();
        await using var bob = new BlobNode();
        var held = await alice.AddAsync(BlobNode.Bytes(10, 1));
        var mentions = Enumerable.Range(0, 4999).Select(i => (new BlobId(SHA256.HashData(BitConverter.GetBytes(i))), bob.Id)).Append((held, bob.Id)).ToList();
        bob.Exchange.Mention(mentions, 77);
        Assert.Equal(77, bob.Table.Cursor);
        Assert.Equal(5000, bob.Exchange.WantCount);
        await using var link = Link.Join(alice, bob);
        await Eventually.IsTrueAsync(() => bob.Blobs.Size(held) == 10, "the one that exists comes");
        await Eventually.IsTrueAsync(() => bob.Exchange.WantCount == 4999, "what came is wanted no more");
        await Eventually.IsTrueAsync(() => alice.Exchange.WantCount == 4999, "the others are wanted out of sympathy");
    }

    [Fact]
    public async Task An_offer_that_comes_before_its_peer_is_known_is_taken_up()
    {
        await using var alice = new BlobNode();
        await using var bob = new BlobNode();
        await using var link = Link.Call(alice);
        using var downloads = new BlobDownloads(bob.Blobs, bob.Exchange, TimeProvider.System, NullLogger.Instance);
        using var peer = new BlobPeer(link.Left);
        var held = await alice.AddAsync(BlobNode.Bytes(10, 1));
        bob.Exchange.Want(held, bob.Id);
        downloads.Offer(peer, held, 10, isOwn: true);
        downloads.Enter(peer);
        await Eventually.IsTrueAsync(() => bob.Blobs.Size(held) == 10, "it comes");
    }

    [Fact]
    public void What_a_peer_was_answered_is_told_however_much_there_is_to_tell()
    {
        using var peer = new BlobPeer(null!);
        var listener = peer.Listen();
        Assert.True(peer.Take(listener)!.Value.All);
        peer.Tell(Id(0), 10);
        for (var i = 1; i <= 6000; i++)
        {
            peer.Tell(Id(i), -2);
        }

        var (all, news) = peer.Take(listener)!.Value;
        Assert.True(all);
        Assert.Equal((Id(0), 10), (Assert.Single(news).Key, news[Id(0)]));
        for (var i = 0; i < 12_000; i++)
        {
            peer.Tell(Id(i), 10);
        }

        (all, news) = peer.Take(listener)!.Value;
        Assert.False(all);
        Assert.Equal(5000, news.Count);

        static BlobId Id(int number) => new(SHA256.HashData(BitConverter.GetBytes(number)));
    }

    [Fact]
    public async Task Nonsense_in_a_list_of_wants_ends_the_exchange_and_nothing_else()
    {
        await using var bob = new BlobNode();
        var methods = new RpcMethods();
        methods.Source("blobs.createWants", RpcCallers.Peer, async (_, stream, token) =>
        {
            await stream.WriteAsync(BodyType.Json, "[1,2]"u8.ToArray(), token);
            await stream.WriteAsync(BodyType.Utf8, "hello"u8.ToArray(), token);
            await stream.WriteAsync(BodyType.Json, "{\"&x\":-1,"u8.ToArray(), token);
            await Task.Delay(Timeout.Infinite, token);
        });
        await using var link = Link.Join(methods, bob);
        await Assert.ThrowsAsync<InvalidDataException>(() => link.Exchanging);
        Assert.False(link.Right.Closed.IsCancellationRequested);
        Assert.Equal(0, bob.Exchange.WantCount);
    }

    [Fact]
    public async Task A_denied_blob_is_neither_kept_nor_served_nor_wanted()
    {
        await using var alice = new BlobNode();
        await using var bob = new BlobNode();
        await using var link = Link.Join(alice, bob);
        await using var caller = Link.Call(bob);
        await using var owner = Link.Call(bob, asOwner: true);
        var id = await alice.AddAsync(BlobNode.Bytes(10, 1));
        await bob.Exchange.WantAsync(id, bob.Id, Cancellation);
        Assert.True((await owner.AskAsync("blobs.deny", $"[\"{id}\",\"illegal\"]")).GetBoolean());
        Assert.False((await caller.AskAsync("blobs.has", $"[\"{id}\"]")).GetBoolean());
        Assert.Equal(0, bob.Exchange.WantCount);
        await Assert.ThrowsAsync<RpcException>(() => caller.ReadAllAsync("blobs.get", $"[\"{id}\"]"));
        Assert.Contains("denied", await owner.ErrorAsync("blobs.want", $"[\"{id}\"]"), StringComparison.Ordinal);
        bob.Exchange.Mention([(id, bob.Id)], 1);
        Assert.Equal(0, bob.Exchange.WantCount);
        Assert.Equal("illegal", (await owner.AskAsync("blobs.denied", "[]"))[0].GetProperty("reason").GetString());
        Assert.True((await owner.AskAsync("blobs.allow", $"[\"{id}\"]")).GetBoolean());
        await bob.Exchange.WantAsync(id, bob.Id, Cancellation);
    }

    [Fact]
    public async Task For_want_of_room_a_blob_is_refused_once_and_not_asked_for_again()
    {
        await using var bob = new BlobNode(new BlobLimits { Total = 10_000 });
        await bob.AddAsync(BlobNode.Bytes(9000, 1));
        var stranger = KeyPair.Generate().Id;
        bob.Authors.Hops[stranger] = 2;
        var peer = new FakePeer();
        var id = peer.Offer(BlobNode.Bytes(5000, 2));
        bob.Exchange.Mention([(id, stranger)], 1);
        for (var i = 0; i < 3; i++)
        {
            await using (Link.Join(peer.Methods, bob))
            {
                await Eventually.IsTrueAsync(() => bob.Exchange.WantCount == 0, "the want is given up");
                peer.Announce(id, 5000);
                peer.Announce(id, -1);
                bob.Exchange.Mention([(id, stranger)], 1);
            }

            Assert.Equal(0, bob.Exchange.WantCount);
            await bob.RestartAsync();
        }

        Assert.Empty(peer.Asked);
        await using (Link.Join(peer.Methods, bob))
        {
            var wanting = bob.Exchange.WantAsync(id, stranger, Cancellation);
            Assert.Equal(1, bob.Exchange.WantCount);
            peer.Announce(id, 5000);
            var refusal = await Assert.ThrowsAsync<RpcException>(() => wanting);
            Assert.Contains("room for blobs", refusal.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Adds through the call; the error, or null.</summary>
    internal static async Task<string?> AddAsync(Link link, byte[] bytes, string args = "[]")
    {
        var stream = link.Open("blobs.add", CallType.Sink, args);
        try
        {
            foreach (var piece in bytes.Chunk(65_536))
            {
                await stream.WriteAsync(BodyType.Binary, piece, Cancellation);
            }

            stream.Complete();
            while (await stream.ReadAsync(Cancellation) is not null)
            {
                // Nothing but an end comes back.
            }

            return null;
        }
        catch (RpcException error)
        {
            return error.Message;
        }
    }
}
