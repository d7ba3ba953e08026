using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Node.Import;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Import;
using PiPub.Web.Forms;

namespace PiPub.Web.Import;

/// <summary>
/// Takes the form with which an owner uploads a log and perhaps a secret, piece by piece: a log may be larger than the memory.
/// </summary>
/// <remarks>
/// Source: RFC 7578 (multipart/form-data). The form's antiforgery token has to be its first part, since the middleware, which
/// would read the whole form for it, is passed by. Parts: the token, <c>off</c>, <c>complete</c>, <c>replace</c>,
/// <c>secret</c>, <c>log</c>; what came of it is shown on the page, to which all answers lead.
/// </remarks>
public static class ImportEndpoint
{
    /// <summary>Where the form goes.</summary>
    public const string Upload = "/setup/import/upload";

    /// <summary>What an owner types to give up an identity.</summary>
    public const string ReplaceWord = "REPLACE";

    private const string Page = "/setup/import";
    private const int MaxSecret = 64 * 1024;
    private const int MaxField = 200;

    /// <summary>Takes the form.</summary>
    public static void MapImport(this IEndpointRouteBuilder routes) => routes.MapPost(Upload, (RequestDelegate)UploadAsync);

    private static async Task UploadAsync(HttpContext context)
    {
        var desk = context.RequestServices.GetRequiredService<UploadDesk>();
        var importer = context.RequestServices.GetRequiredService<Importer>();
        var most = desk.MostBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most + UploadDesk.FormBytes;
        }

        using (var turn = desk.TryBegin(context.Request.ContentLength ?? 0))
        {
            if (turn is not null)
            {
                await TakeAsync(context, desk, importer, most);
            }
        }

        context.Response.Redirect(Page);
    }

    private static async Task TakeAsync(HttpContext context, UploadDesk desk, Importer importer, long most)
    {
        if (importer.Progress.State == ImportState.Running)
        {
            desk.Fail(UploadProblem.Busy);
            return;
        }

        if (context.Request.ContentLength > most + UploadDesk.FormBytes)
        {
            desk.Fail(UploadProblem.TooLarge);
            return;
        }

        var form = new Form();
        try
        {
            var problem = await ReadAsync(context, desk, form);
            if (problem != UploadProblem.None)
            {
                desk.Fail(problem, form.Detail);
                form.Delete();
                return;
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or BadHttpRequestException or OperationCanceledException)
        {
            desk.Fail(e is UploadDesk.DiskFullException || desk.MostBytes == 0 ? UploadProblem.DiskFull : UploadProblem.Broken);
            form.Delete();
            return;
        }

        Begin(desk, importer, form);
    }

    private static void Begin(UploadDesk desk, Importer importer, Form form)
    {
        var source = form.LogPath is { } path ? LegacyDirectory.Look(path) : null;
        if (form.LogPath is not null && source is null)
        {
            desk.Fail(UploadProblem.NoLog);
            form.Delete();
            return;
        }

        try
        {
            importer.Start(new ImportOrder(source, form.LogName)
            {
                Identity = form.Secret,
                IsOldPubOff = form.IsOff,
                IsComplete = form.IsComplete,
                MayReplace = form.MayReplace,
                Release = form.Delete,
            });
        }
        catch (ImportRefusedException e)
        {
            desk.Fail(UploadProblem.Refused, e.Message);
        }
    }

    private static async Task<UploadProblem> ReadAsync(HttpContext context, UploadDesk desk, Form form)
    {
        if (await StreamedForm.BeginAsync(context) is not { } parts)
        {
            return UploadProblem.Expired;
        }

        while (await parts.NextAsync())
        {
            switch (parts.Name)
            {
                case "off":
                    form.IsOff = true;
                    break;
                case "complete":
                    form.IsComplete = true;
                    break;
                case "replace":
                    form.MayReplace = await parts.TextAsync(MaxField) is { } word && word.Trim() == ReplaceWord;
                    break;
                case "secret" when await parts.TextAsync(MaxSecret) is var text && text?.Length != 0:
                    if (!form.TrySetSecret(text))
                    {
                        return UploadProblem.BadSecret;
                    }

                    break;
                case "log" when form.LogPath is null && parts.FileName is { } name:
                    await TakeLogAsync(desk, form, name, parts.Body, context.RequestAborted);
                    break;
                default:
                    break;
            }
        }

        return form is { LogPath: null, Secret: null } ? UploadProblem.Empty : UploadProblem.None;
    }

    private static async Task TakeLogAsync(UploadDesk desk, Form form, string given, Stream body, CancellationToken stop)
    {
        var path = await desk.TakeAsync(body, stop);
        if (new FileInfo(path).Length == 0)
        {
            // A browser sends the field of a file that was not chosen, too.
            File.Delete(path);
            return;
        }

        // Its ending may be needed to know what it is; of its name nothing else is used as one.
        form.LogName = given.Length > MaxField ? given[^MaxField..] : given;
        form.LogPath = path + (given.EndsWith(".bipf", StringComparison.OrdinalIgnoreCase) ? ".bipf" : given.EndsWith(".offset", StringComparison.OrdinalIgnoreCase) ? ".offset" : "");
        File.Move(path, form.LogPath);
    }

    private sealed class Form
    {
        public bool IsOff { get; set; }

        public bool IsComplete { get; set; }

        public bool MayReplace { get; set; }

        public KeyPair? Secret { get; private set; }

        public string? LogPath { get; set; }

        public string LogName { get; set; } = "";

        public string Detail { get; private set; } = "";

        public bool TrySetSecret(string? text)
        {
            try
            {
                Secret = SecretText.Parse(text ?? throw new FormatException("It is too large."));
                return true;
            }
            catch (FormatException e)
            {
                Detail = e.Message;
                return false;
            }
        }

        public void Delete()
        {
            if (LogPath is { } path)
            {
                File.Delete(path);
            }
        }
    }
}
