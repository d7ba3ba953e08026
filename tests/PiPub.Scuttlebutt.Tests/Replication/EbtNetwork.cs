using System.Buffers;
using System.Security.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Scuttlebutt.Tests.Replication;

/// <summary>Peers with a tree and a store each, joined by links that keep the order and take time; time passes only here.</summary>
internal sealed class EbtNetwork(int seed)
{
    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Action, (long Time, long Order)> _events = new();
    private long _order;

    public long Now { get; private set; }

    public List<Node> Nodes { get; } = [];

    /// <summary>(sender, receiver, feed, sequence) of every message that crossed a wire.</summary>
    public Dictionary<(Node From, Node To, FeedId Feed, int Sequence), int> Crossings { get; } = [];

    /// <summary>A node whose messages never arrive, though its notes do.</summary>
    public Node? Mute { get; set; }

    public Node Add()
    {
        var node = new Node(this, Id(Nodes.Count));
        Nodes.Add(node);
        return node;
    }

    public static FeedId Id(int number) => new(SHA256.HashData(BitConverter.GetBytes(number)));

    public void At(long delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    /// <summary>Lets time pass until nothing happens any more but the trees' ticks.</summary>
    public void Run(long milliseconds)
    {
        var end = Now + milliseconds;
        for (var tick = Now + 100; tick <= end; tick += 100)
        {
            while (_events.TryPeek(out var action, out var when) && when.Time <= tick)
            {
                _events.Dequeue();
                Now = Math.Max(Now, when.Time);
                action();
            }

            Now = tick;
            foreach (var node in Nodes)
            {
                node.Tick();
            }
        }
    }

    public Link Connect(Node client, Node server)
    {
        client.LinkTo(server)?.Cut();
        return new Link(this, client, server);
    }

    public long Delay(int from, int to) => _random.Next(from, to);

    internal sealed class Node(EbtNetwork network, FeedId id)
    {
        private readonly Dictionary<FeedId, EbtMemory> _memories = [];

        public FeedId Id { get; } = id;

        public Dictionary<FeedId, int> Held { get; } = [];

        public HashSet<FeedId> Wants { get; } = [];

        public HashSet<(FeedId Author, FeedId Peer)> Blocks { get; } = [];

        public EbtTree Tree { get; private set; } = null!;

        public List<Link> Links { get; } = [];

        public EbtMemory Memory(FeedId peer) =>
            _memories.TryGetValue(peer, out var memory) ? EbtMemory.Decode(memory.Encode()) : new EbtMemory();

        public void Remember(FeedId peer, EbtMemory memory) => _memories[peer] = memory;

        public void ForgetPeers() => _memories.Clear();

        public Link? LinkTo(Node other) => Links.Find(link => link.Client == other || link.Server == other);

        public void Start()
        {
            Tree = new EbtTree((author, peer) => Blocks.Contains((author, peer)));
            foreach (var feed in Wants)
            {
                Tree.Want(feed, Held.GetValueOrDefault(feed), network.Now);
            }
        }

        public void Want(FeedId feed)
        {
            if (Wants.Add(feed))
            {
                Tree.Want(feed, Held.GetValueOrDefault(feed), network.Now);
                Flush();
            }
        }

        public void Unwant(FeedId feed)
        {
            Wants.Remove(feed);
            Tree.Unwant(feed);
            Flush();
        }

        public void Publish(int count = 1)
        {
            Held[Id] = Held.GetValueOrDefault(Id) + count;
            Tree.Append(Id, Held[Id], network.Now);
            Flush();
        }

        public void Take(EbtSession session, FeedId feed, int sequence)
        {
            if (!Tree.ReceiveMessage(session, feed, sequence, network.Now))
            {
                return;
            }

            // As the intake does: stored a little later, in order, and only what follows.
            network.At(2, () =>
            {
                if (sequence == Held.GetValueOrDefault(feed) + 1)
                {
                    Held[feed] = sequence;
                    Tree.Append(feed, sequence, network.Now);
                    Flush();
                }
            });
        }

        public void Tick()
        {
            Tree.Tick(network.Now);
            Flush();
        }

        public void Flush()
        {
            foreach (var link in Links.ToArray())
            {
                link.Flush(this);
            }
        }
    }

    internal sealed class Link
    {
        private readonly EbtNetwork _network;
        private readonly EbtSession _clientSession;
        private readonly EbtSession _serverSession;
        private readonly long _delay;
        private bool _cut;

        public Link(EbtNetwork network, Node client, Node server)
        {
            (_network, Client, Server) = (network, client, server);
            _delay = network.Delay(1, 10);
            _clientSession = client.Tree.Open(server.Id, true, client.Memory(server.Id), () => { }, network.Now);
            _serverSession = server.Tree.Open(client.Id, false, server.Memory(client.Id), () => { }, network.Now);
            client.Links.Add(this);
            server.Links.Add(this);
            Flush(server);
        }

        public Node Client { get; }

        public Node Server { get; }

        public List<string> Notes { get; } = [];

        public void Cut()
        {
            _cut = true;
            Client.Links.Remove(this);
            Server.Links.Remove(this);
            Client.Tree.Close(_clientSession, _network.Now);
            Server.Tree.Close(_serverSession, _network.Now);
            Client.Remember(Server.Id, Client.Tree.Remember(_clientSession));
            Server.Remember(Client.Id, Server.Tree.Remember(_serverSession));
            Client.Flush();
            Server.Flush();
        }

        public void Flush(Node from)
        {
            var (session, other, to) = from == Client ? (_clientSession, _serverSession, Server) : (_serverSession, _clientSession, Client);
            var output = new ArrayBufferWriter<byte>();
            while (!_cut)
            {
                output.ResetWrittenCount();
                if (session.TakeNotes(output, 7))
                {
                    var bytes = output.WrittenSpan.ToArray();
                    Notes.Add((from == Client ? "client " : "server ") + System.Text.Encoding.UTF8.GetString(bytes));
                    Deliver(to, () => to.Tree.ReceiveNotes(other, bytes, _network.Now));
                }
                else if (session.TakeMessages(5, out var feed, out var first, out var count))
                {
                    Assert.True(first + count - 1 <= from.Held.GetValueOrDefault(feed), "Offers what it does not have.");
                    for (var sequence = first; sequence < first + count; sequence++)
                    {
                        Assert.DoesNotContain((feed, to.Id), from.Blocks);
                        var key = (from, to, feed, sequence);
                        _network.Crossings[key] = _network.Crossings.GetValueOrDefault(key) + 1;
                        var one = sequence;
                        if (from != _network.Mute)
                        {
                            Deliver(to, () => to.Take(other, feed, one));
                        }
                    }
                }
                else
                {
                    return;
                }
            }
        }

        private void Deliver(Node to, Action arrival)
        {
            _network.At(_delay, () =>
            {
                if (!_cut)
                {
                    arrival();
                    to.Flush();
                }
            });
        }
    }
}
