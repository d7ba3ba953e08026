using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Blobs;

/// <summary>A peer that answers as a test tells it to, also with lies.</summary>
internal sealed class FakePeer
{
    private readonly ConcurrentDictionary<BlobId, Offered> _offers = new();
    private readonly List<Channel<string>> _news = [];
    private int _served;
    private int _aborted;

    public FakePeer(bool legacy = false)
    {
        if (legacy)
        {
            Methods.Async("blobs.has", RpcCallers.Peer, Has);
            Methods.Source("blobs.changes", RpcCallers.Peer, (_, stream, token) => TellAsync(stream, null, token));
        }
        else
        {
            Methods.Source("blobs.createWants", RpcCallers.Peer, (_, stream, token) =>
                TellAsync(stream, "{" + string.Join(',', _offers.Select(o => $"\"{o.Key}\":{o.Value.Announced}")) + "}", token));
        }

        Methods.Source("blobs.get", RpcCallers.Peer, GetAsync);
        IsLegacy = legacy;
    }

    public RpcMethods Methods { get; } = new();

    public bool IsLegacy { get; }

    /// <summary>The blobs that were asked for, in order.</summary>
    public ConcurrentQueue<BlobId> Asked { get; } = new();

    public ConcurrentQueue<BlobId> AskedHas { get; } = new();

    /// <summary>How many requests are over.</summary>
    public int Served => Volatile.Read(ref _served);

    /// <summary>How many were broken off by whoever asked.</summary>
    public int Aborted => Volatile.Read(ref _aborted);

    /// <summary>When given, each answer waits for it.</summary>
    public SemaphoreSlim? Hold { get; init; }

    public BlobId Offer(byte[] bytes, long? announced = null, byte[]? sent = null, string? error = null, int? sendOnly = null)
    {
        var id = new BlobId(SHA256.HashData(bytes));
        _offers[id] = new Offered(announced ?? bytes.Length, sent ?? bytes, error, sendOnly);
        return id;
    }

    /// <summary>Says on all open streams that it has (or wants) a blob.</summary>
    public void Announce(BlobId id, long number)
    {
        lock (_news)
        {
            foreach (var news in _news)
            {
                news.Writer.TryWrite(IsLegacy ? $"\"{id}\"" : $"{{\"{id}\":{number}}}");
            }
        }
    }

    private async Task TellAsync(RpcStream stream, string? first, CancellationToken token)
    {
        var news = Channel.CreateUnbounded<string>();
        lock (_news)
        {
            _news.Add(news);
        }

        if (first is not null)
        {
            await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(first), token);
        }

        await foreach (var item in news.Reader.ReadAllAsync(token))
        {
            await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(item), token);
        }
    }

    private ValueTask<RpcBody> Has(RpcRequest request, CancellationToken token)
    {
        var answers = new List<string>();
        foreach (var item in request.Arg(0).EnumerateArray())
        {
            var id = BlobId.Parse(item.GetString());
            answers.Add(_offers.ContainsKey(id) ? "true" : "false");
            AskedHas.Enqueue(id);
        }

        return ValueTask.FromResult(RpcBody.Json("[" + string.Join(',', answers) + "]"));
    }

    private async Task GetAsync(RpcRequest request, RpcStream stream, CancellationToken token)
    {
        var argument = request.Arg(0);
        Assert.Equal(JsonValueKind.Object, argument.ValueKind);
        Assert.Equal(5 * 1024 * 1024, argument.GetProperty("max").GetInt32());
        var id = BlobId.Parse(argument.GetProperty("key").GetString());
        Asked.Enqueue(id);
        try
        {
            if (Hold is not null)
            {
                await Hold.WaitAsync(token);
            }

            var offered = _offers[id];
            if (offered.Error is not null)
            {
                throw new RpcException(offered.Error);
            }

            foreach (var piece in offered.Sent.Take(offered.SendOnly ?? int.MaxValue).ToArray().Chunk(65_536))
            {
                await stream.WriteAsync(BodyType.Binary, piece, token);
            }

            if (offered.SendOnly is not null)
            {
                await Task.Delay(Timeout.Infinite, token);
            }
        }
        catch (Exception broken) when (broken is OperationCanceledException || token.IsCancellationRequested)
        {
            Interlocked.Increment(ref _aborted);
            throw;
        }
        finally
        {
            Interlocked.Increment(ref _served);
        }
    }

    private sealed record Offered(long Announced, byte[] Sent, string? Error, int? SendOnly);
}
