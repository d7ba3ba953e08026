using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Web.Pages;

/// <summary>What a box says of itself to whoever opens it in a browser. Nothing in it is secret.</summary>
/// <param name="Name">What the box is called, or nothing.</param>
/// <param name="Id">The box's own identity.</param>
/// <param name="Addresses">Its multiserver addresses, the best first.</param>
public sealed record BoxDescription(string? Name, FeedId Id, IReadOnlyList<string> Addresses);

/// <summary>A plain page at / that says what this box is and what to do with it.</summary>
public static class StatusPage
{
    /// <summary>Serves the page. <paramref name="describe"/> is asked at each visit.</summary>
    public static void MapStatusPage(this IEndpointRouteBuilder routes, Func<BoxDescription> describe) =>
        routes.MapGet("/", context =>
        {
            var headers = context.Response.Headers;
            headers.ContentType = "text/html; charset=utf-8";
            headers.CacheControl = "no-store";
            headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            return context.Response.WriteAsync(Render(describe()), context.RequestAborted);
        });

    private static string Render(BoxDescription box)
    {
        var name = WebUtility.HtmlEncode(string.IsNullOrWhiteSpace(box.Name) ? "A PiPub box" : box.Name);
        var addresses = new StringBuilder();
        foreach (var address in box.Addresses)
        {
            addresses.Append("<li><code>").Append(WebUtility.HtmlEncode(address)).Append("</code></li>\n");
        }

        return $$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{name}}</title>
            <style>
            :root { color-scheme: light dark; }
            body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; font: 1.05rem/1.6 system-ui, sans-serif; }
            h1 { line-height: 1.2; }
            h2 { margin-top: 2rem; font-size: 1.1rem; }
            code { font: .95rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; user-select: all; }
            ul { padding-left: 1.2rem; }
            </style>
            </head>
            <body>
            <main>
            <h1>{{name}}</h1>
            <p>This is a PiPub box. It keeps its members on Secure Scuttlebutt, a social network without a company in the
            middle: it holds their messages and hands them on to their friends while their phones are asleep.</p>
            <h2>To join</h2>
            <p>Ask the owner of this box for an invite code, and paste it into your Scuttlebutt app where it offers to join a
            server or to redeem an invite. If you are the owner, make one with <code>pipub invite create</code>.</p>
            <h2>Who it is</h2>
            <p><code>{{box.Id}}</code></p>
            <h2>Where apps reach it</h2>
            <ul>
            {{addresses}}</ul>
            </main>
            </body>
            </html>

            """;
    }
}
