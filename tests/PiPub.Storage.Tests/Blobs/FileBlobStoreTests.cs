using System.Security.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Blobs;

namespace PiPub.Storage.Tests.Blobs;

public sealed class FileBlobStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_blob_written_in_pieces_is_read_back_and_is_there_after_reopening()
    {
        var bytes = RandomNumberGenerator.GetBytes(200_000);
        var id = new BlobId(SHA256.HashData(bytes));
        await using (var store = FileBlobStore.Open(_directory.Path))
        {
            Assert.Null(store.Size(id));
            Assert.Null(store.OpenRead(id));
            await using (var writer = store.BeginWrite(200_000))
            {
                await writer.WriteAsync(bytes.AsMemory(0, 65_536), Stop);
                await writer.WriteAsync(bytes.AsMemory(65_536), Stop);
                Assert.Null(store.Size(id));
                Assert.Equal((id, 200_000L), await writer.CommitAsync(id, Stop));
            }

            await Write(store, bytes);
            Assert.Equal(200_000, store.TotalBytes);
        }

        var hex = Convert.ToHexStringLower(id.AsSpan());
        Assert.Equal(bytes, await File.ReadAllBytesAsync(_directory[$"sha256/{hex[..2]}/{hex[2..]}"], Stop));
        await using var again = FileBlobStore.Open(_directory.Path);
        Assert.Equal([(id, 200_000L)], again.List());
        Assert.Equal(200_000, again.TotalBytes);
        using (var read = again.OpenRead(id)!)
        {
            Assert.Equal(200_000, read.Length);
            Assert.Equal(id.Bytes.ToArray(), await SHA256.HashDataAsync(read, Stop));
            Assert.True(again.Remove(id));
        }

        Assert.False(again.Remove(id));
        Assert.Null(again.Size(id));
        Assert.Equal(0, again.TotalBytes);
    }

    [Fact]
    public async Task Wrong_hash_too_many_bytes_or_no_commit_leave_no_trace()
    {
        await using var store = FileBlobStore.Open(_directory.Path);
        await using (var writer = store.BeginWrite(10))
        {
            await writer.WriteAsync(new byte[10], Stop);
            await Assert.ThrowsAsync<InvalidDataException>(async () => await writer.WriteAsync(new byte[1], Stop));
        }

        await using (var writer = store.BeginWrite(10))
        {
            await writer.WriteAsync(new byte[10], Stop);
            await Assert.ThrowsAsync<InvalidDataException>(async () => await writer.CommitAsync(FileBlobStore.Empty, Stop));
        }

        Assert.Empty(store.List());
        Assert.Empty(Directory.GetFiles(_directory.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task What_a_crash_left_half_written_is_wiped_at_the_next_start()
    {
        await using (FileBlobStore.Open(_directory.Path))
        {
            await File.WriteAllBytesAsync(_directory["tmp/half"], new byte[100], Stop);
        }

        await using var store = FileBlobStore.Open(_directory.Path);
        Assert.Empty(Directory.GetFiles(_directory["tmp"]));
        Assert.Equal(0, store.TotalBytes);
    }

    [Fact]
    public async Task The_empty_blob_is_always_held_and_never_stored()
    {
        await using var store = FileBlobStore.Open(_directory.Path);
        Assert.Equal(0, store.Size(FileBlobStore.Empty));
        Assert.Equal(0, store.OpenRead(FileBlobStore.Empty)!.Length);
        Assert.Equal((FileBlobStore.Empty, 0L), await Write(store, []));
        Assert.Empty(store.List());
        Assert.False(store.Remove(FileBlobStore.Empty));
    }

    [Fact]
    public async Task The_same_blob_written_many_times_at_once_is_counted_once()
    {
        await using var store = FileBlobStore.Open(_directory.Path);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await Write(store, new byte[1000 + (i % 2)]), Stop)));
        Assert.Equal(2001, store.TotalBytes);
        Assert.Equal(2, store.List().Count());
        Assert.Empty(Directory.GetFiles(_directory["tmp"]));
    }

    [Fact]
    public async Task A_blob_removed_while_it_arrives_again_is_there_whole_or_not_at_all()
    {
        await using var store = FileBlobStore.Open(_directory.Path);
        for (var round = 0; round < 50; round++)
        {
            var (id, _) = await Write(store, [1, 2, 3]);
            await Task.WhenAll(Task.Run(() => store.Remove(id), Stop), Task.Run(async () => await Write(store, [1, 2, 3]), Stop));
            Assert.Equal(store.Size(id) is not null, File.Exists(store.PathOf(id)));
            Assert.Equal(store.Size(id) ?? 0, store.TotalBytes);
        }
    }

    private static async Task<(BlobId Id, long Size)> Write(FileBlobStore store, byte[] bytes)
    {
        await using var writer = store.BeginWrite(1 << 20);
        await writer.WriteAsync(bytes, Stop);
        return await writer.CommitAsync(expected: null, Stop);
    }
}
