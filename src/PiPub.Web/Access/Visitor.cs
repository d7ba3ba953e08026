using System.Net;
using Microsoft.AspNetCore.Http;

namespace PiPub.Web.Access;

/// <summary>Who asks, as far as a request tells.</summary>
internal static class Visitor
{
    /// <summary>The address that a request comes from.</summary>
    public static IPAddress AddressOf(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;

    /// <summary>What the browser calls itself; empty when it does not.</summary>
    public static string BrowserOf(HttpContext context) => context.Request.Headers.UserAgent.ToString();
}
