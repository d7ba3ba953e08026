using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Web.Access;

/// <summary>
/// <c>claim.press</c>: the same as a press of the box's button, for the owner's tools: for two minutes the box can be claimed from the
/// local network without its code. A method of PiPub's own (async, no arguments); it answers <c>{"seconds":120}</c>.
/// </summary>
public static class ClaimMethods
{
    /// <summary>The method's name.</summary>
    public const string Press = "claim.press";

    /// <summary>Offers the method.</summary>
    public static void Register(RpcMethods methods, OwnerAccess access)
    {
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(access);
        methods.Async(Press, RpcCallers.Owner, (_, _) =>
        {
            if (access.IsClaimed)
            {
                throw new RpcException("This box has been claimed already. Sign in on its page with the password.");
            }

            access.Proof.Press();
            return new(RpcBody.Json($$"""{"seconds":{{ClaimProof.OpenFor.TotalSeconds:0}}}"""));
        });
    }
}
