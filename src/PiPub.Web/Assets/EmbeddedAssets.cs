using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace PiPub.Web.Assets;

/// <summary>
/// Style, scripts and pictures of the pages. They lie inside the program, so that a box is one thing and nothing is fetched
/// from elsewhere; each is compressed once, when first asked for, and a browser keeps it for good, since its address
/// changes with its content.
/// </summary>
public static class EmbeddedAssets
{
    private const string Prefix = "assets/";
    private static readonly FrozenDictionary<string, Asset> All = Load();

    /// <summary>The address of an asset, such as <c>/assets/style.css?v=1f2e3d4c</c>.</summary>
    /// <exception cref="KeyNotFoundException">There is no such asset.</exception>
    public static string Address(string name) => $"/{Prefix}{name}?v={All[name].Version}";

    /// <summary>Serves the assets below <c>/assets/</c>, to anybody.</summary>
    public static void MapEmbeddedAssets(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/" + Prefix + "{name}", ServeAsync).AllowAnonymous();

    private static Task ServeAsync(HttpContext context)
    {
        var response = context.Response;
        if (context.Request.RouteValues["name"] is not string name || !All.TryGetValue(name, out var asset))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var isCurrent = context.Request.Query["v"] == asset.Version;
        response.Headers.CacheControl = isCurrent ? "public, max-age=31536000, immutable" : "no-cache";
        response.Headers.ETag = $"\"{asset.Version}\"";
        if (context.Request.Headers.IfNoneMatch == response.Headers.ETag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = asset.ContentType;
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        var bytes = asset.Plain;
        if (context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal))
        {
            response.Headers.ContentEncoding = "br";
            bytes = asset.Brotli.Value;
        }

        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, 0, bytes.Length, context.RequestAborted);
    }

    private static FrozenDictionary<string, Asset> Load()
    {
        var assets = new Dictionary<string, Asset>(StringComparer.Ordinal);
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (resource.StartsWith(Prefix, StringComparison.Ordinal))
            {
                using var stream = assembly.GetManifestResourceStream(resource)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                assets.Add(resource[Prefix.Length..], new Asset(resource, bytes));
            }
        }

        return assets.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed class Asset(string name, byte[] bytes)
    {
        public byte[] Plain => bytes;

        public Lazy<byte[]> Brotli { get; } = new(() => Compress(bytes));

        public string Version { get; } = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8));

        public string ContentType { get; } = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".png" => "image/png",
            _ => "application/octet-stream",
        };

        private static byte[] Compress(byte[] plain)
        {
            using var memory = new MemoryStream();
            using (var brotli = new BrotliStream(memory, CompressionLevel.Optimal))
            {
                brotli.Write(plain);
            }

            return memory.ToArray();
        }
    }
}
