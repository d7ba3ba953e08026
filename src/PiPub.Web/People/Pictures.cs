using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Web.People;

/// <summary>Serves profile pictures out of the blob store, to the owner. What is no picture is not served.</summary>
public static class Pictures
{
    private const int HeadBytes = 12;

    /// <summary>The address of a picture.</summary>
    public static string Address(BlobId blob) => "/pictures/" + Convert.ToHexStringLower(blob.Bytes.AsSpan());

    /// <summary>Serves them below <c>/pictures/</c>.</summary>
    public static void MapPictures(this IEndpointRouteBuilder routes, IBlobStore blobs) =>
        routes.MapGet("/pictures/{id}", (RequestDelegate)(context => ServeAsync(context, blobs)));

    private static async Task ServeAsync(HttpContext context, IBlobStore blobs)
    {
        var response = context.Response;
        var bytes = new byte[32];
        if (context.Request.RouteValues["id"] is not string { Length: 64 } hex || Convert.FromHexString(hex, bytes, out _, out _) != System.Buffers.OperationStatus.Done
            || blobs.OpenRead(new BlobId(new Bytes32(bytes))) is not { } stream)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        await using (stream)
        {
            var head = new byte[HeadBytes];
            var read = await stream.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, context.RequestAborted);
            if (TypeOf(head.AsSpan(0, read)) is not { } type)
            {
                response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            // Named by its content: what is there once is there for good.
            response.ContentType = type;
            response.ContentLength = stream.Length;
            response.Headers.CacheControl = "private, max-age=31536000, immutable";
            await response.Body.WriteAsync(head.AsMemory(0, read), context.RequestAborted);
            await stream.CopyToAsync(response.Body, context.RequestAborted);
        }
    }

    /// <summary>The kind of picture by its first bytes; null for anything that might run as a script (SVG) or is none.</summary>
    private static string? TypeOf(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "image/png"
        : head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : head.StartsWith("GIF8"u8) ? "image/gif"
        : head.Length == HeadBytes && head.StartsWith("RIFF"u8) && head[8..].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
