using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Queries;

/// <summary><c>box.restart</c>: ends the box and begins it again, for the owner's tools. A method of PiPub's own (async).</summary>
/// <param name="restart">Asks for it; throws an <see cref="RefusedException"/> where it cannot be.</param>
public sealed class RestartMethods(Action restart)
{
    /// <summary>Offers the method.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("box.restart", RpcCallers.Owner, (_, _) => new(Restart()));
    }

    private RpcBody Restart()
    {
        try
        {
            restart();
            return RpcBody.Json("true");
        }
        catch (RefusedException e)
        {
            throw new RpcException(e.Message, e);
        }
    }
}
