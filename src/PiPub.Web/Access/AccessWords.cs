using Microsoft.Extensions.Localization;
using PiPub.Web.Language;

namespace PiPub.Web.Access;

/// <summary>What is said on an open page to somebody whose password was not taken.</summary>
internal static class AccessWords
{
    /// <summary>The sentence; null when the password was taken.</summary>
    public static string? Of(IStringLocalizer<Words> words, AccessAnswer answer) => answer.Outcome switch
    {
        AccessOutcome.Granted => null,
        AccessOutcome.WeakPassword => words["That password is too short. Take at least {0} characters.", OwnerAccess.MinPassword],
        AccessOutcome.TooOften => words["Too many wrong attempts. Wait {0} seconds, then try again.", Math.Max(2, Math.Ceiling(answer.Wait.TotalSeconds))],
        _ => (string)words["That is not the password. Try again."],
    };
}
