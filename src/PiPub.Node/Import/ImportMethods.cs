using System.Text.Json;
using PiPub.Node.Identity;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.Import;

namespace PiPub.Node.Import;

/// <summary>
/// The muxrpc face of importing, for the owner's tools: <c>import.start</c> (async), <c>import.progress</c> (a source that ends
/// with the import) and <c>import.cancel</c> (async). Methods of PiPub's own.
/// </summary>
/// <remarks>
/// <c>import.start</c> takes <c>{"path":"/media/stick/.ssb","secret":"/media/stick/.ssb/secret","oldPubIsOff":true,
/// "replaceIdentity":true,"complete":true}</c>, of which all but the path may be missing; a path of null brings the secret alone.
/// </remarks>
public sealed class ImportMethods(Importer importer)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("import.start", RpcCallers.Owner, (request, _) => new(Start(request.Arg(0))));
        methods.Async("import.cancel", RpcCallers.Owner, (_, _) => new(Cancel()));
        methods.Source("import.progress", RpcCallers.Owner, WatchAsync);
    }

    private RpcBody Start(JsonElement order)
    {
        if (order.ValueKind != JsonValueKind.Object)
        {
            throw new RpcException("Say what to import, such as {\"path\":\"/media/stick/.ssb\"}.");
        }

        try
        {
            importer.Start(new ImportOrder(Find(Text(order, "path")), Text(order, "path") ?? "")
            {
                Identity = Text(order, "secret") is { } secret ? ReadSecret(secret) : null,
                IsOldPubOff = IsTrue(order, "oldPubIsOff"),
                MayReplace = IsTrue(order, "replaceIdentity"),
                IsComplete = IsTrue(order, "complete"),
            });
            return RpcBody.Json("true");
        }
        catch (Exception e) when (e is ImportRefusedException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new RpcException(e.Message, e);
        }
    }

    private static LegacyDirectory? Find(string? path) => path is null ? null
        : LegacyDirectory.Look(path) ?? throw new RpcException($"There is nothing to import in {path}. Name a log.offset of ssb-server or Patchwork, a log.bipf of ssb-db2, or a directory like ~/.ssb that has one.");

    private static KeyPair ReadSecret(string path) =>
        File.Exists(path) ? SecretFile.ReadFrom(path) : throw new RpcException($"There is no file {path}.");

    private RpcBody Cancel()
    {
        importer.Cancel();
        return RpcBody.Json("true");
    }

    private async Task WatchAsync(RpcRequest request, RpcStream stream, CancellationToken ended)
    {
        // The list lives until the import has ended, and is then told once more.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ended);
        var gate = new Lock();
        var isDone = false;
        void Look()
        {
            lock (gate)
            {
                if (!isDone && importer.Progress.State != ImportState.Running)
                {
                    over.Cancel();
                }
            }
        }

        importer.Changed += Look;
        try
        {
            Look();
            await LiveList.SendAsync(stream, Now, changed => importer.Changed += changed, changed => importer.Changed -= changed, over.Token);
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            await stream.WriteAsync(BodyType.Json, Now().Bytes, ended);
        }
        finally
        {
            importer.Changed -= Look;
            lock (gate)
            {
                isDone = true;
            }
        }
    }

    private RpcBody Now() => JsonBody.Write(importer.Progress, ImportJson.Write);

    private static string? Text(JsonElement order, string name) =>
        order.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsTrue(JsonElement order, string name) => order.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
