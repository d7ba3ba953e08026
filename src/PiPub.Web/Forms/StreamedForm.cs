using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace PiPub.Web.Forms;

/// <summary>
/// A form with a file that is read as it comes, without being kept anywhere on the way. Its first part must be the antiforgery
/// token, since the middleware that checks it would read the whole form.
/// </summary>
/// <remarks>Source: RFC 7578 (multipart/form-data).</remarks>
internal sealed class StreamedForm
{
    private const int MaxToken = 4096;
    private const int MaxParts = 16;

    private readonly MultipartReader _parts;
    private readonly CancellationToken _stop;
    private MultipartSection? _part;
    private int _taken;

    private StreamedForm(MultipartReader parts, CancellationToken cancellationToken) => (_parts, _stop) = (parts, cancellationToken);

    /// <summary>The name of the present part.</summary>
    public string Name { get; private set; } = "";

    /// <summary>What the file of the present part is called at the sender's; null when the part is no file.</summary>
    public string? FileName { get; private set; }

    /// <summary>The bytes of the present part.</summary>
    public Stream Body => _part!.Body;

    /// <summary>Begins to read a form; null when it does not come from a page of this box, for this browser.</summary>
    public static async Task<StreamedForm?> BeginAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
        {
            return null;
        }

        var form = new StreamedForm(new MultipartReader(boundary, context.Request.Body), context.RequestAborted);
        var antiforgery = context.RequestServices.GetRequiredService<IAntiforgery>();
        var expected = antiforgery.GetTokens(context);
        if (expected.HeaderName is not { } header || !await form.NextAsync() || form.Name != expected.FormFieldName || await form.TextAsync(MaxToken) is not { Length: > 0 } token)
        {
            return null;
        }

        // As a header it is checked without reading the form.
        context.Request.Headers[header] = token;
        return await antiforgery.IsRequestValidAsync(context) ? form : null;
    }

    /// <summary>Goes to the next part; false when there is none, or when there were more than any form of the box has.</summary>
    public async Task<bool> NextAsync()
    {
        _part = _taken++ < MaxParts ? await _parts.ReadNextSectionAsync(_stop) : null;
        _ = ContentDispositionHeaderValue.TryParse(_part?.ContentDisposition, out var disposition);
        Name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).Value ?? "";
        var file = disposition is { FileNameStar.HasValue: true } ? disposition.FileNameStar : disposition?.FileName ?? default;
        FileName = file.HasValue ? HeaderUtilities.RemoveQuotes(file).Value : null;
        return _part is not null;
    }

    /// <summary>A small part as text; null when it has more bytes than allowed.</summary>
    public async Task<string?> TextAsync(int most)
    {
        var bytes = new byte[most + 1];
        var length = await Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, _stop);
        return length > most ? null : Encoding.UTF8.GetString(bytes, 0, length);
    }
}
