using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.Blobs;
using PiPub.Node.Import;
using PiPub.Node.Intake;
using PiPub.Node.Invites;
using PiPub.Node.Peers;
using PiPub.Node.Publishing;
using PiPub.Node.Queries;
using PiPub.Node.Replication;
using PiPub.Node.Sentences;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;
using PiPub.Web.WebSockets;

namespace PiPub.Composition;

/// <summary>The pub itself: each capability with what it needs, and their methods in one table.</summary>
internal sealed class BoxNode : IAsyncDisposable
{
    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Func<CancellationToken, Task>> _work = [];
    private readonly MessageIntake _intake;
    private readonly ReplicationScheduler _replication;
    private readonly ILogger _logger;

    public BoxNode(PiPubOptions options, BoxStorage storage, InviteAddresses addresses, ILoggerFactory logs, TimeProvider time, string version)
    {
        var (identity, messages, views, state) = (storage.Identity, storage.Messages, storage.Views, storage.State);
        var methods = Methods = new RpcMethods();
        _logger = logs.CreateLogger<BoxNode>();

        // Who follows and blocks whom.
        var graph = Graph = new FollowGraph(identity.Id, options.Hops);
        graph.Load(messages, new ViewContacts(views));
        new FriendsMethods(graph).Register(methods);

        // The one door to the log.
        var forks = new ForkTable(state);
        var feeds = Feeds = new FeedStatuses(messages, forks) { IsBlocked = graph.IsBlocking };
        _intake = _closing.Add(new MessageIntake(messages, forks, feeds, new IntakeOptions { HmacKey = options.MessageHmacKey }, time, logs.CreateLogger<MessageIntake>()));
        _intake.Observe(graph);

        // The box's own feed.
        var ownFeedTable = new OwnFeedTable(state);
        OwnFeed = new OwnFeedGuard(identity.Id, messages, forks, ownFeedTable, time) { IsWitness = feed => graph.Hops(feed) is not null };
        if (storage.IsNew)
        {
            OwnFeed.CreatedHere();
        }

        var publisher = Publisher = _closing.Add(new Publisher(identity, messages, _intake, OwnFeed, options.MessageHmacKey, time));

        // Feeds of others.
        _replication = new ReplicationScheduler(graph, new ReplicateListTable(state), time);
        var replicationOptions = new ReplicationOptions { Hops = options.Hops };
        var ebt = _closing.Add(new EbtReplication(
            messages,
            _intake.SubmitAsync,
            graph,
            _replication,
            new PeerMemories(storage.Directory.Path, replicationOptions.MaxRememberedPeers, logs.CreateLogger<PeerMemories>()),
            replicationOptions,
            time,
            logs.CreateLogger<EbtReplication>(),
            forks.IsForked,
            (peer, feed, sequence) =>
            {
                feeds.ReportSeen(feed, sequence);
                if (feed == identity.Id)
                {
                    OwnFeed.ReportRemoteClock(peer, sequence);
                }
            }));
        ebt.Register(methods);
        new ReplicationMethods(_replication).Register(methods);
        var history = new HistoryStreams(messages, graph) { Asked = ebt.HistoryAsked };
        history.Register(methods);
        _intake.Observe(ebt);
        _intake.Observe(history);

        // Pictures and files.
        Owner = new OwnerTable(state);
        var blobTable = new BlobTable(state);
        var blobAuthors = new BlobAuthors(graph, Owner, _replication.IsWanted);
        var blobLimits = new BlobLimits
        {
            MaxSize = options.BlobMaxSize,
            Total = options.BlobQuota,
            PerAuthor = options.BlobQuotaPerAuthor,
            DiskCanSpare = () => storage.Directory.FreeBytes - options.MinFreeSpace,
        };
        var blobs = Blobs = _closing.Add(new BlobCollection(storage.Blobs, blobTable, blobLimits, blobAuthors, time, logs.CreateLogger<BlobCollection>()));
        BlobExchange = _closing.Add(new BlobExchange(blobs, blobTable, time, logs.CreateLogger<BlobExchange>()));
        new BlobMethods(blobs, BlobExchange, identity.Id).Register(methods);
        _work.Add(new BlobMentions(messages, BlobExchange, blobTable, blobAuthors, time, logs.CreateLogger<BlobMentions>()).RunAsync);

        // Letting people in.
        Invitations = _closing.Add(new Invitations(identity.Id, new InvitesTable(state), Owner, addresses, publisher, messages, graph, time));
        new InviteMethods(Invitations, addresses, identity.Id).Register(methods);

        // Connections.
        Peers = new PeerTable(time);
        var policy = Policy = new GraphPolicy(graph, Invitations);
        var peerOptions = PeerOptions = new PeerOptions
        {
            MaxConnections = options.MaxConnections,
            MaxOutgoing = options.MaxOutgoing,
            MaxConnectionsPerAddress = options.MaxConnectionsPerAddress,
            ConnectionRatePerAddress = options.ConnectionRatePerAddress,
        };
        var ping = _closing.Add(new GossipPing(Peers, peerOptions, time));
        ping.Register(methods);
        Server = _closing.Add(new PeerServer(
            identity,
            options.NetworkKey,
            methods,
            [ping, ebt, BlobExchange],
            [_closing.Add(new TcpDialer(logs)), _closing.Add(new WebSocketPeerDialer())],
            policy,
            Peers,
            peerOptions,
            time,
            logs.CreateLogger<PeerServer>()));
        var book = Book = new AddressBook(new KnownAddressesTable(state), identity.Id);
        foreach (var address in options.Connect)
        {
            book.Remember(address, AddressSource.Owner, isKept: false);
        }

        new PeerMethods(Server, book).Register(methods);
        Connections = _closing.Add(new ConnectionScheduler(Server, book, policy, peerOptions, time, logs.CreateLogger<ConnectionScheduler>()));
        _work.Add(new AnnouncedPubs(views, book, time).RunAsync);

        Contacts = new Contacts(publisher, identity.Id);
        Contacts.Register(methods);

        // What another program kept.
        Importer = _closing.Add(new Importer(
            new ImportRoom
            {
                Box = identity.Id,
                DataDirectory = storage.Directory.Path,
                Messages = messages,
                Intake = _intake,
                IsBlocked = graph.IsBlocking,
                Blobs = blobs,
                BlobExchange = BlobExchange,
                Addresses = book,
                OwnFeed = OwnFeed,
                OwnFeedTable = ownFeedTable,
                Results = new ImportTable(state),
                FreeBytes = () => storage.Directory.FreeBytes - options.MinFreeSpace,
                Restart = () => Restart(),
            },
            time,
            logs.CreateLogger<Importer>()));
        new ImportMethods(Importer).Register(methods);

        // What the owner's tools ask.
        new FeedQueries(messages).Register(methods);
        new MessageQueries(messages, views).Register(methods);
        new LinkQueries(messages, views).Register(methods);
        new QueryMethods(messages, views).Register(methods);
        new BoxQueries(
            publisher,
            OwnFeed,
            feeds,
            graph,
            stop => storage.VerifyAsync(options.MessageHmacKey, stop),
            new BoxStatus(options, storage, this, time, version).Write,
            version).Register(methods);
    }

    /// <summary>What is offered to whom; complete before anybody is let in.</summary>
    public RpcMethods Methods { get; }

    public FollowGraph Graph { get; }

    public IPeerPolicy Policy { get; }

    public AddressBook Book { get; }

    public FeedStatuses Feeds { get; }

    public Publisher Publisher { get; }

    public Contacts Contacts { get; }

    public ReplicationScheduler Replication => _replication;

    public ConnectionScheduler Connections { get; }

    public PeerOptions PeerOptions { get; }

    public PeerServer Server { get; }

    public PeerTable Peers { get; }

    public Invitations Invitations { get; }

    public OwnerTable Owner { get; }

    public OwnFeedGuard OwnFeed { get; }

    public BlobCollection Blobs { get; }

    public BlobExchange BlobExchange { get; }

    public Importer Importer { get; }

    /// <summary>What the local network calls the box, such as pipub.local; null while it has no name there.</summary>
    public Func<string?> HostName { get; set; } = static () => null;

    /// <summary>Ends the box and begins it again.</summary>
    public Action Restart { get; set; } = static () => throw new RefusedException(Sentence.Of($"The box is about to start. Wait a moment."));

    /// <summary>Says in a line whether the box can be reached from outside; empty while nobody knows.</summary>
    public Func<string> Reachable { get; set; } = static () => "";

    /// <summary>Begins to take messages in and to want feeds; peers may come from now on.</summary>
    public void Start()
    {
        _intake.Start();
        _replication.Start();
        foreach (var work in _work)
        {
            _closing.Add(new Background(work, _stopping, _logger));
        }
    }

    /// <summary>Begins to seek peers.</summary>
    public void SeekPeers() => Connections.Start();

    /// <summary>Peers go first, then what works for them, and last the door to the log.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _stopping.Dispose();
    }
}
