using System.Net.Sockets;
using System.Text;

namespace PiPub.Appliance.Health;

/// <summary>Tells the service manager how the process is doing: datagrams of <c>KEY=value</c> lines to the socket named in NOTIFY_SOCKET.</summary>
/// <remarks>Reference: sd_notify(3), systemd 257. A path, or a name in the abstract namespace when it begins with <c>@</c>.</remarks>
public sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket;
    private readonly UnixDomainSocketEndPoint _manager;

    /// <summary>Prepares.</summary>
    /// <param name="address">What NOTIFY_SOCKET says.</param>
    public NotifySocket(string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        _manager = new UnixDomainSocketEndPoint(address[0] == '@' ? '\0' + address[1..] : address);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    }

    /// <summary>Tells, or not: a manager that does not listen must not keep the box from its work.</summary>
    /// <param name="lines">One or more, with line feeds between.</param>
    /// <returns>Whether it was heard.</returns>
    public bool Send(string lines)
    {
        try
        {
            _ = _socket.SendTo(Encoding.UTF8.GetBytes(lines), _manager);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
