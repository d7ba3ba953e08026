using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Blobs;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.Blobs;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Blobs;

/// <summary>A box as far as blobs go: files and records in a directory of its own, and the calls that it offers.</summary>
internal sealed class BlobNode : IAsyncDisposable
{
    private readonly TestState _state = new();
    private readonly BlobLimits _limits;
    private FileBlobStore _files;

    public BlobNode(BlobLimits? limits = null)
    {
        _limits = limits ?? new BlobLimits();
        Open();
    }

    public FeedId Id { get; } = KeyPair.Generate().Id;

    public string Directory => _state.Directory;

    public TestAuthors Authors { get; } = new();

    public RpcMethods Methods { get; private set; } = new();

    public BlobTable Table { get; private set; }

    public BlobCollection Blobs { get; private set; }

    public BlobExchange Exchange { get; private set; }

    public IEnumerable<(BlobId Id, long Size)> Held() => _files.List();

    public async Task RestartAsync()
    {
        await CloseAsync();
        _state.Reopen();
        Open();
    }

    /// <summary>Adds a blob as the box's tools do.</summary>
    public async Task<BlobId> AddAsync(byte[] bytes, FeedId? author = null)
    {
        await using var writer = Blobs.BeginWrite(long.MaxValue);
        await writer.WriteAsync(bytes, CancellationToken.None);
        return (await Blobs.CommitAsync(writer, null, author ?? Id, isMentioned: author != default(FeedId), CancellationToken.None)).Id;
    }

    public async Task<byte[]?> ReadAsync(BlobId id)
    {
        if (Blobs.OpenRead(id) is not { } stream)
        {
            return null;
        }

        await using (stream)
        {
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            return copy.ToArray();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _state.Dispose();
    }

    public static byte[] Bytes(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_files), nameof(Table), nameof(Blobs), nameof(Exchange))]
    private void Open()
    {
        Authors.Own.Add(Id);
        _files = FileBlobStore.Open(Path.Combine(_state.Directory, "blobs"));
        Table = new BlobTable(_state.Database);
        Blobs = new BlobCollection(_files, Table, _limits, Authors, TimeProvider.System, NullLogger<BlobCollection>.Instance);
        Exchange = new BlobExchange(Blobs, Table, TimeProvider.System, NullLogger<BlobExchange>.Instance);
        Methods = new RpcMethods();
        new BlobMethods(Blobs, Exchange, Id).Register(Methods);
    }

    private async Task CloseAsync()
    {
        Exchange.Dispose();
        Blobs.Dispose();
        await _files.DisposeAsync();
    }
}

/// <summary>Authors as a test wants them; who is not named is out of reach.</summary>
internal sealed class TestAuthors : IBlobAuthors
{
    public Dictionary<FeedId, int> Hops { get; } = [];

    public HashSet<FeedId> Own { get; } = [];

    public int? HopsOf(FeedId author) => Hops.TryGetValue(author, out var hops) ? hops : null;

    public bool IsOwn(FeedId author) => Own.Contains(author);
}

/// <summary>Two sides connected through memory, each serving what it offers; optionally exchanging blobs.</summary>
internal sealed class Link : IAsyncDisposable
{
    private readonly List<Task> _running = [];

    private Link(FeedId left, RpcMethods leftMethods, FeedId right, RpcMethods rightMethods, bool isOwner)
    {
        var there = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var back = new Pipe(new PipeOptions(useSynchronizationContext: false));
        Left = new MuxRpcSession(new Ends(back.Reader, there.Writer), right, leftMethods, RpcCallers.Peer, false, MuxRpcLimits.Default, TimeProvider.System);
        Right = new MuxRpcSession(new Ends(there.Reader, back.Writer), left, rightMethods, RpcCallers.Peer, isOwner, MuxRpcLimits.Default, TimeProvider.System);
        _running.Add(Left.RunAsync(CancellationToken.None));
        _running.Add(Right.RunAsync(CancellationToken.None));
    }

    /// <summary>The left side's end: what is called on it happens at the right.</summary>
    public MuxRpcSession Left { get; }

    /// <summary>The right side's end.</summary>
    public MuxRpcSession Right { get; }

    /// <summary>The box's side of an exchange with a made-up peer.</summary>
    public Task Exchanging { get; private set; } = Task.CompletedTask;

    /// <summary>Connects two boxes, both exchanging blobs.</summary>
    public static Link Join(BlobNode left, BlobNode right)
    {
        var link = new Link(left.Id, left.Methods, right.Id, right.Methods, false);
        link._running.Add(ExchangeAsync(left, link.Left));
        link._running.Add(ExchangeAsync(right, link.Right));
        return link;
    }

    /// <summary>Connects a made-up peer to a box that exchanges blobs with it. The peer is the left side.</summary>
    public static Link Join(RpcMethods peer, BlobNode node, FeedId? id = null)
    {
        var link = new Link(id ?? KeyPair.Generate().Id, peer, node.Id, node.Methods, false);
        link.Exchanging = ExchangeAsync(node, link.Right);
        return link;
    }

    /// <summary>Connects somebody who only calls. The caller is the left side.</summary>
    public static Link Call(BlobNode node, bool asOwner = false) => new(asOwner ? node.Id : KeyPair.Generate().Id, new RpcMethods(), node.Id, node.Methods, asOwner);

    public async Task<JsonElement> AskAsync(string method, string args) =>
        (await Left.CallAsync(method, Encoding.UTF8.GetBytes(args), TestContext.Current.CancellationToken)).ToJson();

    public async Task<string> ErrorAsync(string method, string args) =>
        (await Assert.ThrowsAsync<RpcException>(() => AskAsync(method, args))).Message;

    public RpcStream Open(string method, CallType type, string args) => Left.Open(method, type, Encoding.UTF8.GetBytes(args));

    public async Task<List<RpcBody>> ReadAllAsync(string method, string args)
    {
        var stream = Open(method, CallType.Source, args);
        var items = new List<RpcBody>();
        while (await stream.ReadAsync(TestContext.Current.CancellationToken) is { } item)
        {
            items.Add(item);
        }

        return items;
    }

    public async ValueTask DisposeAsync()
    {
        await Left.DisposeAsync();
        await Right.DisposeAsync();
        await Task.WhenAll(_running);
        await Exchanging.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    private static async Task ExchangeAsync(BlobNode node, MuxRpcSession session)
    {
        try
        {
            await node.Exchange.RunAsync(new Peer(session, false, "test", DateTimeOffset.UtcNow), session.Closed);
        }
        catch (Exception end) when (end is OperationCanceledException or RpcException)
        {
            // The connection was closed.
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>Waiting for what comes about in its own time.</summary>
internal static class Eventually
{
    public static async Task IsTrueAsync(Func<bool> condition, string what)
    {
        for (var waited = 0; !condition(); waited += 10)
        {
            Assert.True(waited < 60_000, $"It did not come about that {what}.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
