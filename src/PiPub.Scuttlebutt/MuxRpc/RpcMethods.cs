using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>Who may call a method. The owner (the box's own key) may call everything.</summary>
[Flags]
public enum RpcCallers
{
    /// <summary>Only the owner's tools, over loopback or the local socket.</summary>
    Owner = 0,

    /// <summary>Any peer that passed the handshake and is not blocked.</summary>
    Peer = 1,

    /// <summary>A connection keyed by an invite's seed.</summary>
    Invite = 2,
}

/// <summary>A call that has arrived.</summary>
/// <param name="Method">Dotted name.</param>
/// <param name="Args">The arguments, always a JSON array (null and a missing array arrive as an empty one).</param>
/// <param name="Session">The connection that it came over.</param>
/// <param name="Caller">What the connection may call.</param>
/// <param name="IsOwner">True when the caller holds the box's own key.</param>
public sealed record RpcRequest(string Method, JsonElement Args, IRpcSession Session, RpcCallers Caller, bool IsOwner)
{
    /// <summary>Argument <paramref name="index"/>, or an undefined element when it was not given.</summary>
    public JsonElement Arg(int index) => index < Args.GetArrayLength() ? Args[index] : default;
}

/// <summary>Answers an async call.</summary>
public delegate ValueTask<RpcBody> AsyncMethod(RpcRequest request, CancellationToken cancellationToken);

/// <summary>
/// Serves a source, sink or duplex until it returns; then this side is ended in order, or with the error when it throws
/// an <see cref="RpcException"/>. The token is cancelled when the peer aborts a source or the connection ends.
/// </summary>
public delegate Task StreamMethod(RpcRequest request, RpcStream stream, CancellationToken cancellationToken);

/// <summary>One method that this side offers.</summary>
/// <param name="Name">Dotted name.</param>
/// <param name="Type">How it talks.</param>
/// <param name="IsSync">Shown as "sync" instead of "async" in the manifest.</param>
/// <param name="Callers">Who, besides the owner, may call it.</param>
/// <param name="Answer">For async methods.</param>
/// <param name="Serve">For streams.</param>
public sealed record RpcMethod(string Name, CallType Type, bool IsSync, RpcCallers Callers, AsyncMethod? Answer, StreamMethod? Serve);

/// <summary>
/// The methods that this side offers: a table that the capabilities fill at start, the permissions, and the manifest made from it.
/// </summary>
/// <remarks>Source: muxrpc 8.0.0 local-api.js and permissions.js; secret-stack 8.1.0.</remarks>
public sealed class RpcMethods
{
    private readonly Dictionary<string, RpcMethod> _methods = new(StringComparer.Ordinal);

    /// <summary>All methods, in the order of registration.</summary>
    public IReadOnlyCollection<RpcMethod> All => _methods.Values;

    /// <summary>Offers an async method.</summary>
    public void Async(string name, RpcCallers callers, AsyncMethod answer) =>
        _methods.Add(name, new RpcMethod(name, CallType.Async, false, callers, answer, null));

    /// <summary>Offers an async method that the manifest calls sync.</summary>
    public void Sync(string name, RpcCallers callers, AsyncMethod answer) =>
        _methods.Add(name, new RpcMethod(name, CallType.Async, true, callers, answer, null));

    /// <summary>Offers a source.</summary>
    public void Source(string name, RpcCallers callers, StreamMethod serve) =>
        _methods.Add(name, new RpcMethod(name, CallType.Source, false, callers, null, serve));

    /// <summary>Offers a sink.</summary>
    public void Sink(string name, RpcCallers callers, StreamMethod serve) =>
        _methods.Add(name, new RpcMethod(name, CallType.Sink, false, callers, null, serve));

    /// <summary>Offers a duplex.</summary>
    public void Duplex(string name, RpcCallers callers, StreamMethod serve) =>
        _methods.Add(name, new RpcMethod(name, CallType.Duplex, false, callers, null, serve));

    /// <summary>Finds a method that <paramref name="caller"/> may call; unknown and forbidden are the same to a stranger.</summary>
    public RpcMethod? Find(string name, RpcCallers caller, bool isOwner) =>
        _methods.TryGetValue(name, out var method) && (isOwner || (method.Callers & caller) != RpcCallers.Owner) ? method : null;
}
