using System.Buffers;
using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Scuttlebutt.Tests.Replication;

public class EbtTreeTests
{
    [Fact]
    public void Peers_converge_whatever_is_cut_joined_published_and_wanted() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var network = new EbtNetwork(seed);
            var count = random.Next(2, 8);
            for (var i = 0; i < count; i++)
            {
                network.Add();
            }

            foreach (var node in network.Nodes)
            {
                foreach (var other in network.Nodes)
                {
                    if (node == other || random.Next(4) > 0)
                    {
                        node.Wants.Add(other.Id);
                    }
                }

                node.Held[node.Id] = random.Next(0, 30);
                node.Start();
            }

            for (var step = 0; step < 40; step++)
            {
                var node = network.Nodes[random.Next(count)];
                var other = network.Nodes[random.Next(count)];
                switch (random.Next(6))
                {
                    case 0 or 1 when node != other:
                        network.Connect(node, other);
                        break;
                    case 2 when node.Links.Count > 0:
                        node.Links[random.Next(node.Links.Count)].Cut();
                        break;
                    case 3:
                        node.Publish(random.Next(1, 4));
                        break;
                    case 4:
                        node.Want(other.Id);
                        break;
                    case 5 when random.Next(4) == 0 && node != other:
                        node.Unwant(other.Id);
                        break;
                }

                network.Run(random.Next(0, 3) * 100);
            }

            // Everybody who wants a feed is reachable from its author through others who want it: join them all.
            for (var i = 0; i < count; i++)
            {
                foreach (var other in network.Nodes)
                {
                    network.Nodes[i].Want(other.Id);
                }

                if (i > 0 && network.Nodes[i].LinkTo(network.Nodes[i / 2]) is null)
                {
                    network.Connect(network.Nodes[i], network.Nodes[i / 2]);
                }
            }

            network.Run(20_000);
            return network.Nodes.TrueForAll(node => network.Nodes.TrueForAll(
                other => node.Held.GetValueOrDefault(other.Id) == other.Held.GetValueOrDefault(other.Id)))
                .Label(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void In_a_network_that_has_settled_every_message_reaches_every_peer_once() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var network = Joined(seed, out var random);
            network.Run(10_000);
            network.Nodes.ForEach(node => node.Publish()); // The tree of a feed takes shape with its first message.
            network.Run(10_000);
            network.Crossings.Clear();
            for (var i = 0; i < 10; i++)
            {
                network.Nodes[random.Next(network.Nodes.Count)].Publish(random.Next(1, 20));
                network.Run(1000);
            }

            Assert.True(Converged(network));
            return (ReceivedMoreThanOnce(network) == 0).Label(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_first_sync_seldom_sends_a_message_twice_to_a_peer_that_joins_a_mesh() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var network = Joined(seed, out _);
            network.Run(20_000);
            Assert.True(Converged(network));
            var total = network.Nodes.Sum(node => node.Held.Where(held => held.Key != node.Id).Sum(held => held.Value));
            return (ReceivedMoreThanOnce(network) <= total / 3).Label(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_server_speaks_first_and_the_client_answers_only_then()
    {
        var (network, client, server) = Pair();
        client.Held[client.Id] = 3;
        client.Wants.UnionWith([client.Id, server.Id]);
        server.Wants.UnionWith([server.Id]);
        client.Start();
        server.Start();
        var link = network.Connect(client, server);
        Assert.Equal([$$"""server {"{{server.Id}}":0}"""], link.Notes);
        network.Run(1000);
        Assert.Equal($$"""client {"{{client.Id}}":6,"{{server.Id}}":0}""", link.Notes[1]);
        Assert.Equal($$"""server {"{{client.Id}}":-1}""", link.Notes[2]);
        Assert.Equal(3, link.Notes.Count);
    }

    [Fact]
    public void With_nothing_to_say_the_server_still_says_an_empty_object()
    {
        var (network, client, server) = Pair();
        client.Start();
        server.Start();
        Assert.Equal(["server {}"], network.Connect(client, server).Notes);
    }

    [Fact]
    public void A_feed_that_is_not_wanted_is_refused_once()
    {
        var tree = new EbtTree((_, _) => false);
        var session = tree.Open(EbtNetwork.Id(1), true, new EbtMemory(), () => { }, 0);
        var notes = Encoding.UTF8.GetBytes($$"""{"{{EbtNetwork.Id(2)}}":4}""");
        tree.ReceiveNotes(session, notes, 0);
        tree.ReceiveNotes(session, notes, 0);
        Assert.Equal($$"""{"{{EbtNetwork.Id(2)}}":-1}""", Take(session));
        Assert.False(session.HasNotes);
        tree.ReceiveNotes(session, notes, 0);
        Assert.False(session.HasNotes);
    }

    [Fact]
    public void What_both_sides_know_is_not_said_again()
    {
        var (network, client, server) = Pair();
        for (var i = 0; i < 20; i++)
        {
            client.Wants.Add(EbtNetwork.Id(100 + i));
            server.Wants.Add(EbtNetwork.Id(100 + i));
            client.Held[EbtNetwork.Id(100 + i)] = i;
        }

        client.Start();
        server.Start();
        var link = network.Connect(client, server);
        network.Run(1000);
        Assert.Equal(19, server.Held.Count);
        link.Cut();

        // The notes of the first session were written before the messages crossed: one more exchange brings them up to date.
        link = network.Connect(client, server);
        network.Run(1000);
        link.Cut();
        link = network.Connect(client, server);
        network.Run(1000);
        Assert.Equal(["server {}", "client {}"], link.Notes);

        // A live message finds its way although nothing was said about its feed.
        var feed = EbtNetwork.Id(105);
        client.Held[feed] = 6;
        client.Tree.Append(feed, 6, network.Now);
        client.Flush();
        network.Run(1000);
        Assert.Equal(6, server.Held[feed]);
    }

    [Fact]
    public void A_feed_that_becomes_wanted_is_asked_for_although_it_was_refused_before()
    {
        var (network, client, server) = Pair();
        client.Wants.Add(client.Id);
        client.Held[client.Id] = 5;
        client.Start();
        server.Start();
        var link = network.Connect(client, server);
        network.Run(1000);
        Assert.False(server.Held.ContainsKey(client.Id));

        server.Want(client.Id);
        network.Run(1000);
        Assert.Equal(5, server.Held[client.Id]);
        server.Unwant(client.Id);
        network.Run(1000);
        client.Publish();
        network.Run(1000);
        Assert.Equal(5, server.Held[client.Id]);
        link.Cut();

        // Between two sessions as well: both remember the refusal, which must not stand for ever.
        server.Want(client.Id);
        network.Connect(client, server);
        network.Run(1000);
        Assert.Equal(6, server.Held[client.Id]);
    }

    [Fact]
    public void A_wish_that_a_refusing_peer_may_not_have_heard_is_said_again_in_the_next_session()
    {
        var tree = new EbtTree((_, _) => false);
        var (feed, peer) = (EbtNetwork.Id(5), EbtNetwork.Id(1));
        tree.Want(feed, 0, 0);
        var session = tree.Open(peer, false, new EbtMemory(), () => { }, 0);
        Take(session);
        var refusal = Encoding.UTF8.GetBytes($$"""{"{{feed}}":-1}""");
        tree.ReceiveNotes(session, refusal, 0);
        Assert.Equal("{}", Take(Next(tree, ref session)));
        tree.ReceiveNotes(session, refusal, 0);
        tree.Unwant(feed);
        Assert.Equal($$"""{"{{feed}}":-1}""", Take(session));
        tree.Want(feed, 0, 0);
        Assert.Equal($$"""{"{{feed}}":0}""", Take(session));
        Assert.Equal($$"""{"{{feed}}":0}""", Take(Next(tree, ref session)));
        tree.ReceiveNotes(session, refusal, 0);
        Assert.Equal("{}", Take(Next(tree, ref session)));
    }

    [Fact]
    public void A_peer_that_lost_its_messages_gets_them_again()
    {
        var (network, client, server) = Pair();
        client.Wants.Add(client.Id);
        server.Wants.Add(client.Id);
        client.Held[client.Id] = 9;
        client.Start();
        server.Start();
        network.Connect(client, server);
        network.Run(1000);
        network.Connect(client, server);
        network.Run(1000);
        client.LinkTo(server)!.Cut();

        client.Held[client.Id] = 4;
        client.Start();
        var link = network.Connect(client, server);
        network.Run(1000);
        Assert.Equal(9, client.Held[client.Id]);
        // First 0, so that a peer that keeps the highest number it ever heard forgets it; then the truth.
        Assert.Contains($$"""client {"{{client.Id}}":0}""", link.Notes);
        Assert.Contains($$"""client {"{{client.Id}}":8}""", link.Notes);
    }

    [Fact]
    public void A_silent_source_is_left_after_three_seconds()
    {
        var network = new EbtNetwork(1);
        var (receiver, silent, other) = (network.Add(), network.Add(), network.Add());
        var feed = EbtNetwork.Id(100);
        foreach (var node in network.Nodes)
        {
            node.Wants.Add(feed);
        }

        silent.Held[feed] = other.Held[feed] = 5;
        network.Nodes.ForEach(node => node.Start());
        network.Mute = silent;
        network.Connect(silent, receiver);
        network.Run(500);
        network.Connect(other, receiver);
        network.Run(1500);
        Assert.False(receiver.Held.ContainsKey(feed));
        network.Run(2000);
        Assert.Equal(5, receiver.Held[feed]);
    }

    [Fact]
    public void A_blockers_feed_does_not_reach_whom_it_blocked_until_it_unblocks()
    {
        var network = new EbtNetwork(1);
        var (author, pub, blocked) = (network.Add(), network.Add(), network.Add());
        foreach (var node in network.Nodes)
        {
            node.Wants.Add(author.Id);
        }

        author.Held[author.Id] = 3;
        network.Nodes.ForEach(node => node.Start());
        network.Connect(author, pub);
        network.Connect(blocked, pub);
        network.Run(1000);
        Assert.Equal(3, blocked.Held[author.Id]);

        pub.Blocks.Add((author.Id, blocked.Id));
        pub.Tree.SetWithheld(author.Id, blocked.Id, true, network.Now);
        author.Publish();
        network.Run(1000);
        Assert.Equal(4, pub.Held[author.Id]);
        Assert.Equal(3, blocked.Held[author.Id]);
        network.Connect(blocked, pub);
        network.Run(1000);
        Assert.Equal(3, blocked.Held[author.Id]);

        pub.Blocks.Clear();
        pub.Tree.SetWithheld(author.Id, blocked.Id, false, network.Now);
        pub.Flush();
        network.Run(1000);
        Assert.Equal(4, blocked.Held[author.Id]);
    }

    [Fact]
    public void Messages_that_were_not_asked_for_are_dropped()
    {
        var tree = new EbtTree((_, _) => false);
        var (feed, stranger) = (EbtNetwork.Id(5), EbtNetwork.Id(6));
        tree.Want(feed, 2, 0);
        var one = tree.Open(EbtNetwork.Id(1), false, new EbtMemory(), () => { }, 0);
        var two = tree.Open(EbtNetwork.Id(2), false, new EbtMemory(), () => { }, 0);
        Assert.Equal($$"""{"{{feed}}":4}""", Take(one));
        Assert.Equal($$"""{"{{feed}}":5}""", Take(two));
        Assert.False(tree.ReceiveMessage(one, stranger, 1, 0));
        Assert.False(tree.ReceiveMessage(two, feed, 3, 0));
        Assert.False(tree.ReceiveMessage(one, feed, 2, 0));
        Assert.True(tree.ReceiveMessage(one, feed, 3, 0));
        Assert.False(tree.ReceiveMessage(one, feed, 3, 0));
    }

    [Fact]
    public void A_feed_with_an_invalid_message_is_taken_from_another_peer()
    {
        var tree = new EbtTree((_, _) => false);
        var feed = EbtNetwork.Id(5);
        tree.Want(feed, 0, 0);
        var one = tree.Open(EbtNetwork.Id(1), false, new EbtMemory(), () => { }, 0);
        var two = tree.Open(EbtNetwork.Id(2), false, new EbtMemory(), () => { }, 0);
        var notes = Encoding.UTF8.GetBytes($$"""{"{{feed}}":6}""");
        tree.ReceiveNotes(one, notes, 0);
        tree.ReceiveNotes(two, notes, 0);
        Take(one);
        Take(two);
        Assert.True(tree.ReceiveMessage(one, feed, 1, 0));
        tree.RefuseFrom(one, feed, 0);
        Assert.Equal($$"""{"{{feed}}":-1}""", Take(one));
        Assert.Equal($$"""{"{{feed}}":0}""", Take(two));
        Assert.False(tree.ReceiveMessage(one, feed, 1, 0));
        Assert.True(tree.ReceiveMessage(two, feed, 1, 0));
    }

    [Fact]
    public void A_forked_feed_is_not_asked_for_and_still_sent()
    {
        var tree = new EbtTree((_, _) => false);
        var feed = EbtNetwork.Id(5);
        tree.Want(feed, 4, 0);
        tree.SetStopped(feed, true, 0);
        var session = tree.Open(EbtNetwork.Id(1), false, new EbtMemory(), () => { }, 0);
        Assert.Equal($$"""{"{{feed}}":9}""", Take(session));
        tree.ReceiveNotes(session, Encoding.UTF8.GetBytes($$"""{"{{feed}}":20}"""), 0);
        Assert.False(session.HasNotes);
        tree.ReceiveNotes(session, Encoding.UTF8.GetBytes($$"""{"{{feed}}":4}"""), 0);
        Assert.True(session.TakeMessages(10, out _, out var first, out var count));
        Assert.Equal((3, 2), (first, count));
    }

    private static EbtNetwork Joined(int seed, out Random random)
    {
        random = new Random(seed);
        var network = new EbtNetwork(seed);
        var count = random.Next(3, 9);
        for (var i = 0; i < count; i++)
        {
            network.Add();
        }

        foreach (var node in network.Nodes)
        {
            node.Held[node.Id] = random.Next(0, 40);
            node.Wants.UnionWith(network.Nodes.ConvertAll(other => other.Id));
            node.Start();
        }

        for (var i = 1; i < count; i++)
        {
            network.Connect(network.Nodes[i], network.Nodes[random.Next(i)]);
            var (one, two) = (network.Nodes[random.Next(count)], network.Nodes[random.Next(count)]);
            if (one != two && one.LinkTo(two) is null)
            {
                network.Connect(one, two);
            }
        }

        return network;
    }

    private static bool Converged(EbtNetwork network) => network.Nodes.TrueForAll(node => network.Nodes.TrueForAll(
        other => node.Held.GetValueOrDefault(other.Id) == other.Held.GetValueOrDefault(other.Id)));

    /// <summary>How many deliveries were not the first of their message to their receiver.</summary>
    private static int ReceivedMoreThanOnce(EbtNetwork network)
    {
        var received = new Dictionary<(FeedId To, FeedId Feed, int Sequence), int>();
        foreach (var ((_, to, feed, sequence), count) in network.Crossings)
        {
            received[(to.Id, feed, sequence)] = received.GetValueOrDefault((to.Id, feed, sequence)) + count;
        }

        return received.Values.Sum(count => count - 1);
    }

    private static (EbtNetwork Network, EbtNetwork.Node Client, EbtNetwork.Node Server) Pair()
    {
        var network = new EbtNetwork(1);
        return (network, network.Add(), network.Add());
    }

    /// <summary>The same peer comes back.</summary>
    private static EbtSession Next(EbtTree tree, ref EbtSession session)
    {
        tree.Close(session, 0);
        return session = tree.Open(session.Peer, false, EbtMemory.Decode(tree.Remember(session).Encode()), () => { }, 0);
    }

    private static string Take(EbtSession session)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.True(session.TakeNotes(output, 1000));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
