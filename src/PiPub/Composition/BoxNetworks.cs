using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Composition;

/// <summary>The box among its networks: found by neighbours, reached from outside.</summary>
internal sealed class BoxNetworks : IAsyncDisposable
{
    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Func<CancellationToken, Task>> _work = [];
    private readonly ILogger _logger;
    private readonly NetworkWatch _watch;

    /// <summary>Joins the parts and offers their methods. Nothing is sent yet.</summary>
    public BoxNetworks(PiPubOptions options, KeyPair identity, BoxNode node, BoxAddresses addresses, ILoggerFactory logs, TimeProvider time)
    {
        _logger = logs.CreateLogger<BoxNetworks>();
        _watch = _closing.Add(new NetworkWatch(time, logs.CreateLogger<NetworkWatch>()));
        node.Connections.IsOwn = _watch.IsOwn;
        node.Connections.IsOnline = () => _watch.Current.Count > 0;
        _watch.Changed += () =>
        {
            node.Server.EndStranded(_watch.IsOwn);
            node.Connections.Reset();
        };
        _ = (options, identity, addresses);
    }

    /// <summary>Begins, once it is known on which ports the box listens.</summary>
    public void Start()
    {
        foreach (var work in _work)
        {
            _closing.Add(new Background(work, _stopping, _logger));
        }
    }

    /// <summary>Takes leave of neighbours and routers.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _stopping.Dispose();
    }
}
