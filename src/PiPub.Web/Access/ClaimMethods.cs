using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Web.Access;

/// <summary>
/// <c>claim.press</c>: the same as a press of the box's button, for the owner's tools: for two minutes a new box can be claimed from the
/// local network without its code, and an app be connected to one that has been claimed. A method of PiPub's own (async, no
/// arguments); it answers <c>{"seconds":120,"claimed":false}</c>, with whether the box has been claimed.
/// </summary>
public static class ClaimMethods
{
    /// <summary>The method's name.</summary>
    public const string Press = "claim.press";

    /// <summary>Offers the method.</summary>
    /// <param name="methods">Where it is offered.</param>
    /// <param name="access">Whether the box has been claimed.</param>
    /// <param name="press">What a press does.</param>
    public static void Register(RpcMethods methods, OwnerAccess access, Action press)
    {
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(press);
        methods.Async(Press, RpcCallers.Owner, (_, _) =>
        {
            press();
            return new(RpcBody.Json($$"""{"seconds":{{HomeDoor.OpenFor.TotalSeconds:0}},"claimed":{{(access.IsClaimed ? "true" : "false")}}}"""));
        });
    }
}
