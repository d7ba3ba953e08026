using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PiPub.Web.Forms;

namespace PiPub.Web.Access;

/// <summary>Where the forms for claiming the box, signing in and signing out are sent. Each needs the antiforgery token of its page.</summary>
public static class AccessEndpoints
{
    /// <summary>Where the claim form goes: <c>code</c>, <c>password</c>, <c>again</c>.</summary>
    public const string Claim = "/access/claim";

    /// <summary>Where the sign-in form goes: <c>password</c>.</summary>
    public const string SignIn = "/access/sign-in";

    /// <summary>Where the sign-out button goes.</summary>
    public const string SignOut = "/access/sign-out";

    /// <summary>Takes the forms.</summary>
    public static void MapAccess(this IEndpointRouteBuilder routes, OwnerAccess access)
    {
        ArgumentNullException.ThrowIfNull(access);
        routes.MapForm(Claim, context => ClaimAsync(context, access)).AllowAnonymous();
        routes.MapForm(SignIn, context => SignInAsync(context, access)).AllowAnonymous();
        routes.MapForm(SignOut, context => SignOutAsync(context, access));
    }

    private static async Task ClaimAsync(HttpContext context, OwnerAccess access)
    {
        if (await ReadAsync(context) is not { } form)
        {
            return;
        }

        var password = form["password"].ToString();
        if (password != form["again"].ToString())
        {
            context.Response.Redirect("/claim?problem=different");
            return;
        }

        var isNew = !access.IsClaimed;
        var answer = await access.ClaimAsync(form["code"], password, Visitor.AddressOf(context), Visitor.BrowserOf(context), context.RequestAborted);
        Answer(context, answer, welcome: isNew ? "/setup" : "/", again: answer.Outcome == AccessOutcome.AlreadyClaimed ? "/sign-in" : "/claim");
    }

    private static async Task SignInAsync(HttpContext context, OwnerAccess access)
    {
        if (await ReadAsync(context) is not { } form)
        {
            return;
        }

        var answer = await access.SignInAsync(form["password"], Visitor.AddressOf(context), Visitor.BrowserOf(context), context.RequestAborted);
        Answer(context, answer, welcome: "/", again: answer.Outcome == AccessOutcome.NotClaimed ? "/claim" : "/sign-in");
    }

    private static async Task SignOutAsync(HttpContext context, OwnerAccess access)
    {
        if (await ReadAsync(context) is null)
        {
            return;
        }

        if (SessionAuthentication.SessionOf(context.User) is { } session)
        {
            _ = access.End(session);
        }

        SessionAuthentication.DeleteCookie(context);
        context.Response.Redirect("/sign-in");
    }

    /// <summary>The form, if it came from a page of the box; else the answer is given here.</summary>
    internal static async Task<IFormCollection?> ReadAsync(HttpContext context)
    {
        var form = await context.ReadOwnFormAsync();
        if (form is null)
        {
            // The page was open since before the box restarted, or it is not the box's at all.
            context.Response.Redirect("/sign-in?problem=expired");
        }

        return form;
    }

    internal static void Answer(HttpContext context, AccessAnswer answer, string welcome, string again)
    {
        if (answer.Token is { } token)
        {
            SessionAuthentication.SetCookie(context, token);
            context.Response.Redirect(welcome);
            return;
        }

        var problem = answer.Outcome switch
        {
            AccessOutcome.WrongCode => "code",
            AccessOutcome.NotByApp => "app",
            AccessOutcome.WeakPassword => "short",
            AccessOutcome.TooOften => $"wait&seconds={Math.Ceiling(answer.Wait.TotalSeconds):0}",
            AccessOutcome.AlreadyClaimed => "claimed",
            AccessOutcome.NotClaimed => "unclaimed",
            _ => "password",
        };
        context.Response.Redirect($"{again}?problem={problem}");
    }
}
