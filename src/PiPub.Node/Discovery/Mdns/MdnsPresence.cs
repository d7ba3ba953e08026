using Microsoft.Extensions.Logging;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// The box on the local network by mDNS and DNS-SD: it has a host name (<c>pipub.local</c>), its page and its SSB port are
/// published as services, and other boxes are looked for. All of it through avahi-daemon, which may come later, go, and
/// come back; without it the node goes on.
/// </summary>
/// <remarks>
/// <para>Sources: RFC 6762 (mDNS), RFC 6763 (DNS-SD), avahi 0.8.</para>
/// <para>Published: address records of the host name, unless the machine itself is called so; <c>_http._tcp</c> (TXT
/// <c>path=/</c>); <c>_ssb._tcp</c> (see <see cref="SsbService"/>). Browsed: <c>_ssb._tcp</c>.</para>
/// </remarks>
public sealed partial class MdnsPresence : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    /// <summary>avahi tells of changes only, and who takes sightings forgets what is not told for long.</summary>
    private static readonly TimeSpan TellAgain = TimeSpan.FromHours(1);

    private readonly NetworkWatch _watch;
    private readonly Neighbourhood _neighbourhood;
    private readonly ILanSightings _sightings;
    private readonly LanCounters _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _retry;
    private readonly ITimer _again;
    private MdnsOptions _options = null!;
    private MdnsSightings? _seen;
    private AvahiLoop? _loop;
    private AvahiClient? _client;
    private MdnsPublication? _publication;
    private MdnsBrowsing? _browsing;
    private TimeSpan _nextRetry = FirstRetry;
    private string? _toldName;
    private bool _isAbsenceTold;
    private volatile bool _isOver;
    private volatile string? _hostName;

    /// <summary>Prepares; nothing is published before <see cref="Start"/>.</summary>
    /// <param name="watch">Knows the machine's addresses.</param>
    /// <param name="neighbourhood">Judges the addresses of other boxes.</param>
    /// <param name="sightings">Told of other boxes.</param>
    /// <param name="counters">Counts what others announce in vain.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public MdnsPresence(NetworkWatch watch, Neighbourhood neighbourhood, ILanSightings sightings, LanCounters counters, TimeProvider time, ILogger<MdnsPresence> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_watch, _neighbourhood, _sightings, _counters, _time, _logger) = (watch, neighbourhood, sightings, counters, time, logger);
        _retry = time.CreateTimer(_ => _loop?.Post(Connect), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _again = time.CreateTimer(_ => _loop?.Post(() => _seen?.TellAgain()), null, TellAgain, TellAgain);
    }

    /// <summary>Raised, on a thread of its own, when <see cref="HostName"/> is another. Handlers must return at once.</summary>
    public event Action? Changed;

    /// <summary>The name that leads to the box on the local network, such as <c>pipub.local</c> or <c>pipub-2.local</c>; null while it has none.</summary>
    public string? HostName => _hostName;

    /// <summary>Ends when it is known for the first time whether the box has a host name.</summary>
    public Task Settled => _settled.Task;

    /// <summary>Begins to publish and to look.</summary>
    public void Start(MdnsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        if (!options.IsAnythingReachable && !options.IsDiscoveryOn)
        {
            _settled.TrySetResult();
            return;
        }

        if (!options.IsAnythingReachable)
        {
            _settled.TrySetResult();
        }

        if (!AvahiApi.IsInstalled)
        {
            TellAbsence("libavahi-client is not installed", "apt-get install avahi-daemon libavahi-client3");
            return;
        }

        _seen = new MdnsSightings(options.Id, _neighbourhood, _sightings, _counters);
        _loop = new AvahiLoop(_logger);
        _loop.Post(Connect);
        _watch.Changed += Refresh;
    }

    /// <summary>Goes by another host name from now on: what was published under the old one is taken back. Only after <see cref="Start"/>.</summary>
    public void Rename(MdnsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _loop?.Post(() =>
        {
            _options = options;
            Connect();
        });
    }

    /// <summary>Takes leave: the daemon says goodbye for the box.</summary>
    public void Dispose()
    {
        _watch.Changed -= Refresh;
        _retry.Dispose();
        _again.Dispose();
        _isOver = true;
        _loop?.Post(Disconnect);
        _loop?.Dispose();
        _settled.TrySetResult();
    }

    private void Refresh() => _loop?.Post(() =>
    {
        _publication?.Refresh();
        _seen?.TellAgain();
    });

    private void Connect()
    {
        Disconnect();
        if (_isOver)
        {
            return;
        }

        _client = AvahiClient.Connect(_loop!, ClientIs, out var error);
        if (_client is null)
        {
            TellAbsence($"D-Bus or avahi-daemon is not there ({AvahiApi.Words(error)})", "apt-get install avahi-daemon");
            ConnectLater();
        }
    }

    private void ClientIs(AvahiClient client, AvahiClientState state)
    {
        switch (state)
        {
            case AvahiClientState.Running:
                _nextRetry = FirstRetry;
                _publication ??= new MdnsPublication(client, _options, () => _watch.Current, Named, _time, _logger);
                _publication.Refresh();
                Browse(client);
                break;
            case AvahiClientState.Connecting:
                TellAbsence("avahi-daemon does not run", "apt-get install avahi-daemon");
                break;
            case AvahiClientState.Failure:
                var reason = AvahiApi.Words(client.LastError);
                LostDaemon(reason);
                ConnectLater();
                break;
        }
    }

    private void Browse(AvahiClient client)
    {
        if (_options.IsDiscoveryOn && _browsing is null)
        {
            _browsing = new MdnsBrowsing(client, _seen!, ConnectLater);
            _browsing.Start();
        }
    }

    /// <summary>Ends the connection, if there is one, and with it all that was published and found through it.</summary>
    private void Disconnect()
    {
        _publication?.Dispose();
        _client?.Dispose();
        (_client, _publication, _browsing) = (null, null, null);
        _seen?.Clear();
        Named(null);
    }

    /// <summary>Makes the connection anew: after a second, and less often while it does not help.</summary>
    private void ConnectLater()
    {
        Disconnect();
        _ = _isOver || _retry.Change(_nextRetry, Timeout.InfiniteTimeSpan);
        _nextRetry = _nextRetry * 2 < LastRetry ? _nextRetry * 2 : LastRetry;
    }

    private void Named(string? name)
    {
        if (name == _hostName)
        {
            return;
        }

        _hostName = name;
        if (name is not null)
        {
            _settled.TrySetResult();
            if (name != _toldName)
            {
                _toldName = name;
                var words = MdnsHostName.Words(name, $"{_options.HostName}{name[name.IndexOf('.')..]}");
                TellName(words);
            }
        }

        Changed?.Invoke();
    }

    private void TellAbsence(string what, string remedy)
    {
        _settled.TrySetResult();
        if (!_isAbsenceTold)
        {
            _isAbsenceTold = true;
            Absent(what, _options.HostName, remedy);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Words}")]
    private partial void TellName(string words);

    [LoggerMessage(Level = LogLevel.Information, Message = "{What}, so the box is not called {HostName}.local on the local network and does not look for others by mDNS; the rest goes on. On Debian: {Remedy}")]
    private partial void Absent(string what, string hostName, string remedy);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The connection with avahi-daemon is lost: {Reason}. It is made again when the daemon is back.")]
    private partial void LostDaemon(string reason);
}
