using System.Net;
using Microsoft.AspNetCore.Http;

namespace PiPub.Web.Access;

/// <summary>
/// Under which names browsers may ask for the pages: the box's own. A page on the internet can make its own name lead to an address in
/// a home, and would then be let in with the owner's cookies (DNS rebinding); with a number in place of a name it cannot.
/// </summary>
/// <param name="names">The names of the box at the moment, without ports.</param>
public sealed class HostNames(Func<IEnumerable<string>> names)
{
    /// <summary>Whether a Host header names this box: any IP address, localhost, or one of its names.</summary>
    public bool IsOwn(HostString host)
    {
        var name = host.Host.TrimEnd('.');
        if (IPAddress.TryParse(name.AsSpan().Trim("[]"), out _) || name.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (var own in names())
        {
            if (name.Equals(own, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Answers requests under other names with a sentence instead of a page.</summary>
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (IsOwn(context.Request.Host))
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            "This box does not go by that name. Open it by its name on the local network (such as pipub.local) or by its address in numbers. If the name is its public one, set public-host to it.\n",
            context.RequestAborted);
    }
}
