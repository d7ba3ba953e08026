using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Blobs;

public sealed class BlobMethodsTests
{
    private const string Empty = "&47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256";
    private const string Nobodys = "&AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Has_and_size_answer_as_ssb_blobs_does()
    {
        await using var node = new BlobNode();
        await using var peer = Link.Call(node);
        var id = await node.AddAsync(BlobNode.Bytes(123, 1));
        Assert.Equal("true", (await peer.AskAsync("blobs.has", $"[\"{id}\"]")).GetRawText());
        Assert.Equal("[true,false,true]", (await peer.AskAsync("blobs.has", $"[[\"{id}\",\"{Nobodys}\",\"{Empty}\"]]")).GetRawText());
        Assert.Equal("[]", (await peer.AskAsync("blobs.has", "[[]]")).GetRawText());
        Assert.Equal("123", (await peer.AskAsync("blobs.size", $"[\"{id}\"]")).GetRawText());
        Assert.Equal("123", (await peer.AskAsync("blobs.size", $$"""[{"id":"{{id}}"}]""")).GetRawText());
        Assert.Equal("null", (await peer.AskAsync("blobs.size", $"[\"{Nobodys}\"]")).GetRawText());
        Assert.Equal("[0,123]", (await peer.AskAsync("blobs.size", $"[[\"{Empty}\",\"{id}\"]]")).GetRawText());
        foreach (var bad in new[] { "[\"x\"]", "[]", "[null]", "[7]", "[{}]", $"[\"{id}?unbox=x\"]" })
        {
            Assert.Equal("invalid id:null", await peer.ErrorAsync("blobs.has", bad));
        }

        Assert.Equal("invalid id:x", await peer.ErrorAsync("blobs.has", $"[[\"{id}\",\"x\"]]"));
        Assert.Equal("invalid id:null", await peer.ErrorAsync("blobs.has", "[[null]]"));
    }

    [Fact]
    public async Task Get_knows_every_way_to_ask_and_says_what_is_wrong()
    {
        await using var node = new BlobNode();
        await using var peer = Link.Call(node);
        var bytes = BlobNode.Bytes(150_000, 1);
        var id = await node.AddAsync(bytes);
        foreach (var args in new[]
        {
            $"[\"{id}\"]", $$"""[{"id":"{{id}}"}]""", $$"""[{"hash":"{{id}}","size":150000}]""", $$"""[{"key":"{{id}}","max":150000}]""", $$"""[{"key":"{{id}}","max":5242880}]""",
        })
        {
            var items = await peer.ReadAllAsync("blobs.get", args);
            Assert.Equal([65_536, 65_536, 18_928], items.Select(i => i.Bytes.Length));
            Assert.All(items, i => Assert.Equal(BodyType.Binary, i.Type));
            Assert.Equal(bytes, items.SelectMany(i => i.Bytes.ToArray()));
        }

        Assert.Empty(await peer.ReadAllAsync("blobs.get", $"[\"{Empty}\"]"));
        Assert.Equal("could not get blob", await GetErrorAsync($"[\"{Nobodys}\"]"));
        Assert.Equal("could not get blob", await GetErrorAsync($$"""[{"key":"{{Nobodys}}","max":5242880}]"""));
        Assert.Equal($"incorrect file length, requested:7 file was:150000 for file:{id}", await GetErrorAsync($$"""[{"key":"{{id}}","size":7}]"""));
        Assert.Equal($"incorrect file length, requested:undefined file was:150000 for file:{id}", await GetErrorAsync($$"""[{"key":"{{id}}","max":149999}]"""));
        Assert.Equal("multiblob.get: {id} is mandatory", await GetErrorAsync("[{}]"));
        Assert.Equal("multiblob.get: {id} is mandatory", await GetErrorAsync("[\"&x\"]"));

        async Task<string> GetErrorAsync(string args) =>
            (await Assert.ThrowsAsync<RpcException>(() => peer.ReadAllAsync("blobs.get", args))).Message;
    }

    [Fact]
    public async Task Slices_are_half_open_and_never_outside()
    {
        await using var node = new BlobNode();
        await using var peer = Link.Call(node);
        var bytes = BlobNode.Bytes(200_000, 1);
        var id = await node.AddAsync(bytes);
        foreach (var (start, end) in new[] { (0, 10), (70_000, 200_000), (5, 5), (199_999, 300_000), (10, 5), (-5, 3), (250_000, 300_000) })
        {
            var items = await peer.ReadAllAsync("blobs.getSlice", $$"""[{"hash":"{{id}}","start":{{start}},"end":{{end}}}]""");
            var (from, to) = (Math.Clamp(start, 0, bytes.Length), Math.Clamp(end, 0, bytes.Length));
            Assert.Equal(from < to ? bytes[from..to] : [], items.SelectMany(i => i.Bytes.ToArray()));
        }

        var error = await Assert.ThrowsAsync<RpcException>(() => peer.ReadAllAsync("blobs.getSlice", $$"""[{"hash":"{{id}}","end":5}]"""));
        Assert.Equal("multiblob.getSlice: {start} must be a number", error.Message);
    }

    [Fact]
    public async Task Peers_read_and_only_the_owner_writes()
    {
        await using var node = new BlobNode();
        foreach (var name in new[] { "has", "size", "get", "getSlice", "changes", "createWants" })
        {
            Assert.NotNull(node.Methods.Find("blobs." + name, RpcCallers.Peer, false));
            Assert.Null(node.Methods.Find("blobs." + name, RpcCallers.Invite, false));
        }

        foreach (var name in new[] { "add", "want", "push", "ls", "rm", "pin", "unpin", "deny", "allow", "denied" })
        {
            Assert.Null(node.Methods.Find("blobs." + name, RpcCallers.Peer, false));
            Assert.NotNull(node.Methods.Find("blobs." + name, RpcCallers.Peer, true));
        }
    }

    [Fact]
    public async Task The_owner_adds_lists_pins_and_removes()
    {
        await using var node = new BlobNode();
        await using var owner = Link.Call(node, asOwner: true);
        await using var peer = Link.Call(node);
        var changes = peer.Open("blobs.changes", CallType.Source, "[]");
        var live = owner.Open("blobs.ls", CallType.Source, """[{"live":true,"meta":true}]""");
        Assert.Equal("""{"sync":true}""", Text(await live.ReadAsync(Cancellation)));
        await peer.AskAsync("blobs.has", $"[\"{Empty}\"]");

        var bytes = BlobNode.Bytes(100_000, 1);
        var id = new BlobId(SHA256.HashData(bytes));
        Assert.Null(await BlobExchangeTests.AddAsync(owner, bytes));
        Assert.Null(await BlobExchangeTests.AddAsync(owner, bytes, $"[\"{id}\"]"));
        Assert.Contains("received", await BlobExchangeTests.AddAsync(owner, BlobNode.Bytes(5, 2), $"[\"{id}\"]"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("not a valid hash: x", await BlobExchangeTests.AddAsync(owner, bytes, "[\"x\"]"));
        Assert.Equal($"\"{id}\"", Text(await changes.ReadAsync(Cancellation)));
        Assert.Equal(100_000, JsonElement.Parse(Text(await live.ReadAsync(Cancellation))).GetProperty("size").GetInt32());

        Assert.Equal([$"\"{id}\""], (await owner.ReadAllAsync("blobs.ls", "[]")).Select(i => Text(i)));
        Assert.True((await owner.AskAsync("blobs.pin", $"[\"{id}\"]")).GetBoolean());
        Assert.True(node.Table.Find(id)!.Value.IsPinned);
        Assert.True((await owner.AskAsync("blobs.unpin", $"[\"{id}\"]")).GetBoolean());
        Assert.True((await owner.AskAsync("blobs.want", $"[\"{id}\"]")).GetBoolean());
        Assert.True((await owner.AskAsync("blobs.want", $"[\"{Empty}\"]")).GetBoolean());
        Assert.Equal("invalid id:null", await owner.ErrorAsync("blobs.want", "[\"x\"]"));
        Assert.Equal("invalid hash:null", await owner.ErrorAsync("blobs.push", "[\"x\"]"));
        Assert.True((await owner.AskAsync("blobs.push", $"[\"{id}\"]")).GetBoolean());
        Assert.Equal([id], node.Blobs.Pushes());
        Assert.True((await owner.AskAsync("blobs.rm", $"[\"{id}\"]")).GetBoolean());
        Assert.False((await peer.AskAsync("blobs.has", $"[\"{id}\"]")).GetBoolean());
        Assert.Empty(node.Blobs.Pushes());
        Assert.Contains("not held", await owner.ErrorAsync("blobs.rm", $"[\"{id}\"]"), StringComparison.Ordinal);
        Assert.Contains("not held", await owner.ErrorAsync("blobs.pin", $"[\"{id}\"]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_added_by_someone_who_hangs_up_at_once_is_kept()
    {
        await using var node = new BlobNode();
        var bytes = BlobNode.Bytes(300_000, 1);
        await using (var owner = Link.Call(node, asOwner: true))
        {
            var stream = owner.Open("blobs.add", CallType.Sink, "[]");
            foreach (var piece in bytes.Chunk(65_536))
            {
                await stream.WriteAsync(BodyType.Binary, piece, Cancellation);
            }

            stream.Complete();
        }

        await Eventually.IsTrueAsync(() => node.Blobs.Size(new BlobId(SHA256.HashData(bytes))) == 300_000, "the blob is kept");
    }

    [Fact]
    public async Task Five_hundred_gets_at_once_hold_only_a_few_files_open()
    {
        await using var node = new BlobNode();
        await using var peer = Link.Call(node);
        var bytes = BlobNode.Bytes(200_000, 1);
        var id = await node.AddAsync(bytes);
        var streams = Enumerable.Range(0, 500).Select(_ => peer.Open("blobs.get", CallType.Source, $"[\"{id}\"]")).ToList();
        await Eventually.IsTrueAsync(() => OpenFiles() > 0, "something is sent");
        for (var i = 0; i < 20; i++)
        {
            Assert.InRange(OpenFiles(), 0, 4);
            await Task.Delay(5, Cancellation);
        }

        foreach (var stream in streams.Take(490))
        {
            stream.Complete();
        }

        foreach (var stream in streams.Skip(490))
        {
            var got = 0;
            while (await stream.ReadAsync(Cancellation) is { } item)
            {
                got += item.Bytes.Length;
            }

            Assert.Equal(bytes.Length, got);
        }

        int OpenFiles() => Directory.GetFiles("/proc/self/fd").Count(IsBlob);

        bool IsBlob(string descriptor)
        {
            try
            {
                return File.ResolveLinkTarget(descriptor, false)?.FullName is { } target
                    && target.StartsWith(node.Directory, StringComparison.Ordinal) && target.Contains("/sha256/", StringComparison.Ordinal);
            }
            catch (IOException)
            {
                // Closed in the meantime.
                return false;
            }
        }
    }

    private static string Text(RpcBody? body) => Encoding.UTF8.GetString(body!.Value.Bytes.Span);
}
