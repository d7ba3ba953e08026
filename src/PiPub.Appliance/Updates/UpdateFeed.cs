using System.Net.Http.Headers;
using System.Text.Json;

namespace PiPub.Appliance.Updates;

/// <summary>
/// Where new versions are told of: one small JSON file, and beside it the bundles. The file is not signed, the bundles are; whoever
/// could change it could only point to another bundle that is signed, and an older one is refused.
/// </summary>
/// <remarks>
/// <code>{"version":"1.2.0","notes":"Faster first sync.","bundles":{"rpi":{"url":"pipub-rpi-1.2.0.raucb","size":123456789},"pc":{...}}}</code>
/// 64 KiB at most. <c>url</c> may be relative to the file's own address. <c>size</c> is in bytes.
/// </remarks>
/// <param name="handler">How requests are sent; null for the usual way.</param>
public sealed class UpdateFeed(Func<HttpMessageHandler>? handler = null)
{
    /// <summary>The largest bundle that is fetched.</summary>
    public const long MaxBundle = 2_000_000_000;

    private const int MaxFile = 64 * 1024;
    private const int MaxNotes = 1000;
    private const int Chunk = 256 * 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReadWithin = TimeSpan.FromMinutes(2);

    /// <summary>Asks which version is the newest.</summary>
    /// <param name="address">The file.</param>
    /// <param name="board">This machine's kind.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is offered for this kind of machine; null when nothing is.</returns>
    /// <exception cref="BundleRefusedException">It cannot be reached or read; the message is for a person.</exception>
    public async Task<UpdateOffer?> AskAsync(Uri address, string board, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        using var http = Open();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(AnswerWithin);
            http.MaxResponseContentBufferSize = MaxFile;
            return Read(JsonElement.Parse(await http.GetByteArrayAsync(address, limit.Token)), address, board);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new BundleRefusedException(BundleRefusal.NotFetched, $"{address} does not tell of new versions: {(e is OperationCanceledException ? "it did not answer in time." : e.Message)}", e);
        }
    }

    /// <summary>Fetches a bundle into a file, whole or not at all.</summary>
    /// <param name="offer">What <see cref="AskAsync"/> gave.</param>
    /// <param name="path">The file; replaced when it is there.</param>
    /// <param name="percent">Told how far it has come.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BundleRefusedException">It cannot be fetched.</exception>
    public async Task FetchAsync(UpdateOffer offer, string path, IProgress<int> percent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offer);
        using var http = Open();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(AnswerWithin);
            using var answer = await http.GetAsync(offer.Address, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            answer.EnsureSuccessStatusCode();
            await using var source = await answer.Content.ReadAsStreamAsync(limit.Token);
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            var buffer = new byte[Chunk];
            var length = 0L;
            while (true)
            {
                limit.CancelAfter(ReadWithin);
                var read = await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, limit.Token);
                length += read;
                if (read == 0 || length > offer.Size)
                {
                    break;
                }

                await file.WriteAsync(buffer.AsMemory(0, read), limit.Token);
                percent.Report((int)(100 * length / offer.Size));
            }

            if (length != offer.Size)
            {
                throw new BundleRefusedException(BundleRefusal.Truncated, $"{offer.Address} has {(length > offer.Size ? "more than" : $"{length} of")} the {offer.Size} bytes that were told of.");
            }

            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new BundleRefusedException(
                e is IOException && e.Message.Contains("No space left", StringComparison.Ordinal) ? BundleRefusal.NoRoom : BundleRefusal.NotFetched,
                $"{offer.Address} could not be fetched: {(e is OperationCanceledException ? "it did not answer in time." : e.Message)}",
                e);
        }
    }

    private static UpdateOffer? Read(JsonElement file, Uri address, string board)
    {
        var version = file.GetProperty("version"u8).GetString() ?? "";
        if (version.Length is 0 or > 64 || !file.GetProperty("bundles"u8).TryGetProperty(board, out var bundle))
        {
            return null;
        }

        var size = bundle.GetProperty("size"u8).GetInt64();
        var place = new Uri(address, bundle.GetProperty("url"u8).GetString());
        if (size is <= 0 or > MaxBundle || place.Scheme is not ("http" or "https"))
        {
            throw new FormatException("its bundle has no size or address that can be.");
        }

        var notes = file.TryGetProperty("notes"u8, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";
        return new UpdateOffer(version, notes.Length > MaxNotes ? notes[..MaxNotes] : notes, null, place, size);
    }

    private HttpClient Open()
    {
        var http = new HttpClient(handler?.Invoke() ?? new SocketsHttpHandler { MaxAutomaticRedirections = 5, ConnectTimeout = AnswerWithin }) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("PiPub", null));
        return http;
    }
}
