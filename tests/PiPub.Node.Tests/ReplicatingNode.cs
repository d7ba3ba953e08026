using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Intake;
using PiPub.Node.Peers;
using PiPub.Node.Replication;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Tests;

/// <summary>All that replicates, without sockets and disks: nodes are joined by muxrpc over pipes in memory.</summary>
internal sealed class ReplicatingNode : IAsyncDisposable
{
    private readonly TestState _state = new();
    private readonly Dictionary<FeedId, FeedTip> _written = [];

    public ReplicatingNode(int hops = 2, bool hasEbt = true, Action<FeedId, FeedId, int>? claimed = null, ReplicationOptions? options = null)
    {
        options ??= new ReplicationOptions { EbtPatience = TimeSpan.FromMilliseconds(300) };
        Store = new MessageStore(new MemoryMessageLog());
        Forks = new ForkTable(_state.Database);
        Statuses = new FeedStatuses(Store, Forks);
        Intake = new MessageIntake(Store, Forks, Statuses, new IntakeOptions(), TimeProvider.System, NullLogger<MessageIntake>.Instance);
        Graph = new FollowGraph(Key.Id, hops);
        Scheduler = new ReplicationScheduler(Graph, new ReplicateListTable(_state.Database), TimeProvider.System);
        Scheduler.Start();
        Memories = new PeerMemories(_state.Directory, 100, NullLogger.Instance);
        Ebt = new EbtReplication(Store, Intake.SubmitAsync, Graph, Scheduler, Memories, options, TimeProvider.System, NullLogger<EbtReplication>.Instance, Forks.IsForked, claimed);
        History = new HistoryStreams(Store, Graph) { Asked = Ebt.HistoryAsked };
        if (hasEbt)
        {
            Ebt.Register(Methods);
        }

        History.Register(Methods);
        new FriendsMethods(Graph).Register(Methods);
        Intake.Observe(Graph);
        Intake.Observe(Ebt);
        Intake.Observe(History);
        Intake.Start();
        HasEbt = hasEbt;
    }

    public KeyPair Key { get; } = KeyPair.Generate();

    public FeedId Id => Key.Id;

    public bool HasEbt { get; }

    public MessageStore Store { get; }

    public ForkTable Forks { get; }

    public FeedStatuses Statuses { get; }

    public MessageIntake Intake { get; }

    public FollowGraph Graph { get; }

    public ReplicationScheduler Scheduler { get; }

    public PeerMemories Memories { get; }

    public EbtReplication Ebt { get; }

    public HistoryStreams History { get; }

    public RpcMethods Methods { get; } = new();

    /// <summary>Joins two nodes; the first has dialled.</summary>
    public static Connection Connect(ReplicatingNode client, ReplicatingNode server) => new(client, server);

    public Task FollowAsync(FeedId feed) => PublishAsync(Key, $$"""{"type":"contact","contact":"{{feed}}","following":true}""");

    public Task BlockAsync(FeedId feed) => PublishAsync(Key, $$"""{"type":"contact","contact":"{{feed}}","blocking":true}""");

    public Task PostAsync(int count = 1) => PostAsync(Key, count);

    /// <summary>Messages of any feed, as if that feed's owner had written them here.</summary>
    public async Task PostAsync(KeyPair author, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await SubmitAsync(Next(author, $$"""{"type":"post","text":"message {{i}}"}"""));
        }

        await SettledAsync(author.Id, _written[author.Id].Sequence);
    }

    public async Task PublishAsync(KeyPair author, string content)
    {
        var message = Next(author, content);
        await SubmitAsync(message);
        await SettledAsync(author.Id, message.Sequence);
    }

    public Task HasAsync(FeedId feed, int sequence) => SettledAsync(feed, sequence);

    public async ValueTask DisposeAsync()
    {
        await Intake.DisposeAsync();
        await Ebt.DisposeAsync();
        Store.Dispose();
        _state.Dispose();
    }

    private Message Next(KeyPair author, string content)
    {
        var message = ClassicFeed.Create(author, _written.GetValueOrDefault(author.Id), 1_700_000_000_000, System.Text.Encoding.UTF8.GetBytes(content));
        _written[author.Id] = new FeedTip(message.Sequence, message.Id);
        return message;
    }

    private ValueTask SubmitAsync(Message message) => Intake.SubmitAsync(new Nobody(), message.Value, TestContext.Current.CancellationToken);

    private Task SettledAsync(FeedId feed, int sequence) => Eventually.BecomesTrueAsync(() => Store.SequenceOf(feed) >= sequence, $"{sequence} messages of {feed}, has {Store.SequenceOf(feed)}");

    private sealed class Nobody : IMessageSource
    {
        public void Judged(FeedId author, int sequence, IntakeVerdict verdict)
        {
        }
    }

    /// <summary>A connection between two nodes with what each does for its peer.</summary>
    internal sealed class Connection : IAsyncDisposable
    {
        private readonly Task _ran;

        public Connection(ReplicatingNode client, ReplicatingNode server)
            : this(client.Id, client.Methods, client, server)
        {
        }

        /// <summary>A connection whose dialling end is the test itself.</summary>
        public Connection(FeedId client, ReplicatingNode server)
            : this(client, new RpcMethods(), null, server)
        {
        }

        private Connection(FeedId clientId, RpcMethods clientMethods, ReplicatingNode? client, ReplicatingNode server)
        {
            var there = new Pipe(new PipeOptions(useSynchronizationContext: false));
            var back = new Pipe(new PipeOptions(useSynchronizationContext: false));
            Client = new MuxRpcSession(new Ends(back.Reader, there.Writer), server.Id, clientMethods, RpcCallers.Peer, false, MuxRpcLimits.Default, TimeProvider.System) { MethodFailed = Fail };
            Server = new MuxRpcSession(new Ends(there.Reader, back.Writer), clientId, server.Methods, RpcCallers.Peer, false, MuxRpcLimits.Default, TimeProvider.System) { MethodFailed = Fail };
            _ran = Task.WhenAll(
                Client.RunAsync(CancellationToken.None),
                Server.RunAsync(CancellationToken.None),
                client is null ? Task.CompletedTask : ServeAsync(client, new Peer(Client, true, "net:test", DateTimeOffset.UnixEpoch)),
                ServeAsync(server, new Peer(Server, false, "net:test", DateTimeOffset.UnixEpoch)));
        }

        public MuxRpcSession Client { get; }

        public MuxRpcSession Server { get; }

        public List<string> Failures { get; } = [];

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Server.DisposeAsync();
            await _ran.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Empty(Failures);
        }

        private static async Task ServeAsync(ReplicatingNode node, Peer peer)
        {
            await Task.Yield();
            try
            {
                await node.Ebt.RunAsync(peer, peer.Session.Closed);
            }
            catch (OperationCanceledException)
            {
            }
        }

        private void Fail(string method, Exception e) => Failures.Add($"{method}: {e}");

        private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }
}

/// <summary>Waits for what other threads bring about.</summary>
internal static class Eventually
{
    public static async Task BecomesTrueAsync(Func<bool> condition, string what)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 3000, "Waited in vain for: " + what);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
