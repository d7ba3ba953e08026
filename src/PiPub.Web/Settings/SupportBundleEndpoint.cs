using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Web.Forms;

namespace PiPub.Web.Settings;

/// <summary>Where the support bundle is downloaded: a form, so that no other page can have it made.</summary>
public static class SupportBundleEndpoint
{
    /// <summary>Its path.</summary>
    public const string Path = "/settings/support-bundle";

    /// <summary>Takes the form.</summary>
    public static void MapSupportBundle(this IEndpointRouteBuilder routes) =>
        routes.MapForm(Path, SendAsync);

    private static async Task SendAsync(HttpContext context)
    {
        if (!context.IsOwnForm())
        {
            context.Response.Redirect("/settings#support");
            return;
        }

        // A few hundred kilobytes: made whole first, so that a failure is not half a file.
        using var zip = new MemoryStream();
        context.RequestServices.GetRequiredService<ISupportBundle>().Write(zip);
        var day = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/zip";
        context.Response.ContentLength = zip.Length;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"pipub-support-{day}.zip\"";
        context.Response.Headers.CacheControl = "no-store";
        zip.Position = 0;
        await zip.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
