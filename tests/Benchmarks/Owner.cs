using System.Text;
using System.Text.Json;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Benchmarks;

/// <summary>
/// A box's owner by its local socket, as its own commands come. A JavaScript client over TCP writes each call in four pieces, the second of
/// which the kernel holds back until the first is acknowledged: 40 ms that are not the box's (Nagle's algorithm, RFC 1122 4.2.3.2 and 4.2.3.4).
/// </summary>
internal sealed class Owner(MuxRpcSession session) : IAsyncDisposable
{
    public static async Task<Owner> ConnectAsync(string directory) => new(await LocalSocket.ConnectAsync(directory, CancellationToken.None));

    /// <summary>An async call; the arguments are a JSON array.</summary>
    public async Task<JsonElement> CallAsync(string method, string arguments = "[]") =>
        (await session.CallAsync(method, Encoding.UTF8.GetBytes(arguments), CancellationToken.None)).ToJson();

    public async ValueTask DisposeAsync()
    {
        await session.CloseAsync();
        await session.DisposeAsync();
    }
}
