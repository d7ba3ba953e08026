using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using PiPub.Appliance.Button;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Health;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Node.Invites;
using PiPub.Node.Peers;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Storage.Views;
using PiPub.Web.Shell;
using PiPub.Web.WebSockets;

namespace PiPub.Composition;

/// <summary>
/// A running box: what it keeps, the node that works with it, and what listens to the world, brought to life in this order
/// and taken down in the reverse one.
/// </summary>
public sealed class Box : IAsyncDisposable
{
    private static readonly TimeSpan NamedWithin = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ProblemsEvery = TimeSpan.FromMinutes(5);

    // By then the first peers have been called back. What the start has left behind is then given back once: nobody else would on a quiet box.
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(10);

    private readonly Closing _closing = new();
    private readonly BoxAddresses _addresses;
    private readonly InviteAddresses _inviteAddresses;
    private BoxNode _node = null!;
    private BoxDoors _doors = null!;
    private BoxFace _face = null!;
    private BoxNetworks _networks = null!;

    private Box(PiPubOptions options)
    {
        _addresses = new BoxAddresses(options);
        _inviteAddresses = new InviteAddresses(_addresses.Current);
    }

    /// <summary>The program's version.</summary>
    public static string Version { get; } = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3);

    /// <summary>The box's own identity.</summary>
    public FeedId Id { get; private set; }

    /// <summary>The port that peers reach.</summary>
    public int SsbPort => _addresses.SsbPort;

    /// <summary>The port of HTTP and WebSocket.</summary>
    public int WebPort => _addresses.WebPort;

    /// <summary>The port of HTTPS; null when the box has no secure address.</summary>
    public int? HttpsPort => _doors.Secure.Port;

    /// <summary>The fingerprint of the authority that vouches for the secure address; null when there is none.</summary>
    public string? AuthorityFingerprint => _doors.Secure.Authority?.Fingerprint;

    /// <summary>What the local network calls the box, such as pipub.local; null while it has no name there.</summary>
    public string? HostName => _node.HostName();

    /// <summary>Whether the box has been claimed on its page.</summary>
    public bool IsClaimed => _doors.Access.IsClaimed;

    /// <summary>What whoever claims the box has to type in on its page; null when it is claimed, or the claim file says it.</summary>
    public string? ClaimCode => IsClaimed ? null : _doors.Access.Proof.Code.Text;

    /// <summary>Whether the box is well.</summary>
    internal BoxHealth Health { get; private set; } = null!;

    /// <summary>The unix socket of the owner's tools.</summary>
    public string SocketPath { get; private set; } = "";

    /// <summary>The multiserver addresses, the best first.</summary>
    public IReadOnlyList<string> Addresses => [.. _inviteAddresses.AddressOf(Id, null)?.Split(';') ?? []];

    /// <summary>The one for programs on this machine: by TCP, loopback if there is no other; null when nothing listens.</summary>
    public string? TcpAddress => _inviteAddresses.Best().Concat(_addresses.Current())
        .Where(address => address.Transport == InviteTransport.Net)
        .Select(address => new InviteCode(address.Transport, address.Host, address.Port, Id, default).Address)
        .FirstOrDefault();

    /// <summary>Brings a box to life; when this returns, it listens.</summary>
    /// <param name="options">What was configured.</param>
    /// <param name="logs">The log.</param>
    /// <param name="life">How it ends to begin again.</param>
    /// <param name="hardware">Its lights, button and display.</param>
    /// <param name="progress">Told while the views catch up with the log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The data directory or a port cannot be used; the message is for a person.</exception>
    /// <exception cref="InvalidDataException">What is kept there is damaged; the message is for a person.</exception>
    internal static async Task<Box> StartAsync(PiPubOptions options, ILoggerFactory logs, BoxLife life, WiredHardware hardware, IProgress<ViewProgress> progress, CancellationToken cancellationToken)
    {
        var box = new Box(options);
        try
        {
            await box.StartPartsAsync(options, logs, life, hardware, progress, cancellationToken);
            return box;
        }
        catch
        {
            await box.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits a little for <see cref="HostName"/>, which takes a second to be claimed; not at all where there will be none.</summary>
    public Task WhenNamedAsync(CancellationToken cancellationToken) => _networks.WhenNamed
        .WaitAsync(NamedWithin, cancellationToken)
        .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>The invite code for the owner to be, which the pages show too; null when the box has its owner.</summary>
    public string? FirstInvite()
    {
        if (_node.Owner.Owner is not null)
        {
            return null;
        }

        try
        {
            return _face.OwnerInvite.Get().Codes[0].ToLegacyText();
        }
        catch (InviteException)
        {
            // No address that a client could reach: `pipub invite create` says so to whoever asks.
            return null;
        }
    }

    /// <summary>Stops in order: nobody comes in, peers are told, work ends, everything is written down.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            // Before the listeners, which would wait for the connections to end.
            await _node.Server.DisposeAsync();
        }

        await _closing.DisposeAsync();
    }

    private async Task StartPartsAsync(PiPubOptions options, ILoggerFactory logs, BoxLife life, WiredHardware hardware, IProgress<ViewProgress> progress, CancellationToken cancellationToken)
    {
        var storage = _closing.Add(await BoxStorage.OpenAsync(options));
        Id = storage.Identity.Id;
        await storage.FollowAsync(progress, cancellationToken);

        _node = _closing.Add(new BoxNode(options, storage, _inviteAddresses, logs, TimeProvider.System, Version));
        var clock = _closing.Add(BoxClock.Of(storage));
        _node.OwnFeed.ClockProblem = clock.Problem;
        clock.Start();
        _node.Restart = () => life.Restart();
        new RestartMethods(_node.Restart).Register(_node.Methods);
        var backups = _closing.Add(new BoxBackups(options, storage, _node, life, logs, TimeProvider.System));
        _node.Start();
        _networks = _closing.Add(new BoxNetworks(options, storage.Identity, _node, _addresses, logs, TimeProvider.System));

        var machine = _closing.Add(new BoxMachine(options, storage, logs, TimeProvider.System));
        _doors = _closing.Add(new BoxDoors(options, storage, _node, _networks, _inviteAddresses, machine.HasCardProblems, logs, TimeProvider.System));
        var settings = _closing.Add(new BoxSettingsPage(options, storage, _node, _networks, machine, life, logs, TimeProvider.System));
        await settings.RecoverAsync();
        _face = new BoxFace(options, storage, _node, _networks, _doors, backups, _inviteAddresses, settings, machine, life.Problems, TimeProvider.System);

        Health = new BoxHealth(BoxChecks.Of(options, storage, _node, _addresses, hardware), logs.CreateLogger<BoxHealth>());
        HealthMethods.Register(_node.Methods, Health);

        var web = _closing.Add(new BoxWeb(options, new PeerConnectionHandler(_node.Server).OnConnectedAsync, _doors.Secure.Certificate, app => MapWeb(app, logs), logs));
        await web.StartAsync(cancellationToken);
        (_addresses.SsbPort, _addresses.WebPort, _doors.Secure.Port) = (web.SsbPort, web.WebPort, web.HttpsPort);
        SocketPath = _closing.Add(LocalSocket.Listen(_node.Server, options.DataDirectory, logs)).Path;

        _ = _closing.Add(new BoxLights(this, hardware, storage, machine, _doors, _face, _networks, new ButtonActions(_doors.Press, machine.RestartBy(life), new StagedFactoryReset(options, life, machine.Requests).Begin), logs, TimeProvider.System));
        _networks.Start();
        _closing.Add(TimeProvider.System.CreateTimer(_ => _face.NoteProblems(), null, ProblemsEvery, ProblemsEvery));
        _closing.Add(TimeProvider.System.CreateTimer(static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true), null, SettledAfter, Timeout.InfiniteTimeSpan));
        _node.SeekPeers();
    }

    private void MapWeb(WebApplication app, ILoggerFactory logs)
    {
        app.MapPeerWebSockets(_node.Server.AcceptAsync);
        app.Run(_closing.Add(new FaceHost(_face.AddServices, logs, app)).ServeAsync);
    }
}
