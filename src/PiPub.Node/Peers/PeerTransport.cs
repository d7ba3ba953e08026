using System.IO.Pipelines;
using System.Net;

namespace PiPub.Node.Peers;

/// <summary>A byte stream to somebody yet unknown: TCP, WebSocket or the local socket, before the handshake.</summary>
public sealed class PeerTransport : IAsyncDisposable
{
    private readonly Action _abort;
    private readonly Func<ValueTask>? _dispose;

    /// <summary>Describes a connection.</summary>
    /// <param name="pipe">Its bytes.</param>
    /// <param name="remote">The IP address of the other end; null when there is none.</param>
    /// <param name="description">The multiserver address dialled, or the remote end point as text.</param>
    /// <param name="abort">Cuts the connection at once; may be called more than once and from anywhere.</param>
    /// <param name="dispose">Gives the connection's resources back.</param>
    public PeerTransport(IDuplexPipe pipe, IPAddress? remote, string description, Action abort, Func<ValueTask>? dispose = null)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        ArgumentNullException.ThrowIfNull(abort);
        Pipe = pipe;
        Remote = Unmapped(remote);
        Description = description;
        _abort = abort;
        _dispose = dispose;
    }

    /// <summary>The bytes.</summary>
    public IDuplexPipe Pipe { get; }

    /// <summary>The IP address of the other end, IPv4 as such; null when there is none.</summary>
    public IPAddress? Remote { get; }

    /// <summary>The IP address of this end, IPv4 as such; null when there is none or it is not known.</summary>
    public IPAddress? Local
    {
        get;
        init => field = Unmapped(value);
    }

    /// <summary>The multiserver address dialled, or the remote end point as text.</summary>
    public string Description { get; }

    /// <summary>True when the other end is on this machine.</summary>
    public bool IsLoopback => Remote is not null && IPAddress.IsLoopback(Remote);

    /// <summary>Cuts the connection at once.</summary>
    public void Abort() => _abort();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _dispose?.Invoke() ?? default;

    private static IPAddress? Unmapped(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
