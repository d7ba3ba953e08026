using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Node.Backups;
using PiPub.Storage.State;
using PiPub.Web.Forms;

namespace PiPub.Web.Backups;

/// <summary>
/// Where a backup is downloaded and uploaded, both piece by piece and the owner's only. What comes up is opened and written beside
/// the box's present state while it comes; the file itself is kept nowhere.
/// </summary>
public static class BackupEndpoints
{
    /// <summary>Where the form for a download goes: <c>passphrase</c>, <c>again</c>.</summary>
    public const string Download = "/backups/download";

    /// <summary>Where the form with a backup goes, in this order: the antiforgery token, <c>passphrase</c>, <c>file</c>.</summary>
    public const string Upload = "/setup/restore/upload";

    /// <summary>The page where one is put back.</summary>
    public const string RestorePage = "/setup/restore";

    /// <summary>Larger files are not taken; a backup has far less.</summary>
    private const long MaxUpload = 4L << 30;

    private const int MaxPassphraseBytes = 4 * BackupKey.MaxPassphrase;
    private const string Way = "download";

    /// <summary>Takes the forms.</summary>
    public static void MapBackups(this IEndpointRouteBuilder routes)
    {
        routes.MapForm(Download, DownloadAsync);
        routes.MapPost(Upload, (RequestDelegate)UploadAsync);
    }

    private static async Task DownloadAsync(HttpContext context)
    {
        if (await context.ReadOwnFormAsync() is not { } form)
        {
            context.Response.Redirect("/settings#backups");
            return;
        }

        var passphrase = form["passphrase"].ToString();
        if (passphrase != form["again"].ToString() || passphrase.Length is < BackupKey.MinPassphrase or > BackupKey.MaxPassphrase)
        {
            context.Response.Redirect(passphrase != form["again"].ToString() ? "/settings?backup=different#backups" : "/settings?backup=short#backups");
            return;
        }

        var services = context.RequestServices;
        var (maker, notes, time) = (services.GetRequiredService<BackupMaker>(), services.GetRequiredService<BackupTable>(), services.GetRequiredService<TimeProvider>());
        var key = await Task.Run(() => BackupKey.Create(passphrase), context.RequestAborted);
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{maker.FileName}\"";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            var summary = await maker.WriteAsync(context.Response.Body, key, context.RequestAborted);
            notes.Succeeded(Way, time.GetUtcNow(), summary.Bytes);
        }
        catch (IOException e)
        {
            // What has gone out is not whole, and the browser must not take it for a file.
            notes.Failed(Way, time.GetUtcNow(), e.Message);
            context.Abort();
        }
    }

    private static async Task UploadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaxUpload;
        }

        string? problem;
        try
        {
            problem = await TakeAsync(context);

            // Before all of the form is read, most browsers do not look at the answer.
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or BadHttpRequestException)
        {
            problem = "broken";
        }

        context.Response.Redirect(problem is null ? RestorePage : $"{RestorePage}?problem={problem}");
    }

    /// <summary>Why it cannot be used, as the page's address says it; null when it can.</summary>
    private static async Task<string?> TakeAsync(HttpContext context)
    {
        if (await StreamedForm.BeginAsync(context) is not { } form)
        {
            return "expired";
        }

        var restore = context.RequestServices.GetRequiredService<BackupRestore>();
        var passphrase = "";
        while (await form.NextAsync())
        {
            switch (form.Name)
            {
                case "passphrase":
                    passphrase = await form.TextAsync(MaxPassphraseBytes) ?? "";
                    break;
                case "file":
                    try
                    {
                        _ = await restore.PrepareAsync(form.Body, passphrase, context.RequestAborted);
                        return null;
                    }
                    catch (BackupException e)
                    {
                        return e.Problem.ToString();
                    }

                default:
                    break;
            }
        }

        return nameof(BackupProblem.NotABackup);
    }
}
