using System.Security.Cryptography;
using PiPub.Node.Backups;
using PiPub.Node.Identity;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Blobs;
using PiPub.Storage.Disk;
using PiPub.Storage.Log;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Backups;

/// <summary>What a box keeps, opened in a directory of its own: with a feed, an owner with theirs, a stranger's, invites and pictures.</summary>
internal sealed class KeptBox : IAsyncDisposable
{
    public const string Passphrase = "four words in a row";
    public static readonly PassphraseCost Cheap = new(1, 8);
    public static readonly TestAuthor Owner = new(901);
    public static readonly TestAuthor Stranger = new(902);
    public static readonly FeedId Invite = new TestAuthor(903).Id;
    public static readonly FeedId Listed = new TestAuthor(904).Id;

    private readonly DataDirectory? _data;
    private readonly SegmentedMessageLog _log;

    private KeptBox(string directory, bool isLocked)
    {
        Directory = directory;
        _data = isLocked ? DataDirectory.Open(directory, 0) : null;
        if (_data is not null)
        {
            WasReplaced = DataReplacement.Complete(_data);
        }

        Identity = SecretFile.ReadOrCreate(directory, out _);
        State = StateDatabase.Open(directory);
        RestoredState.CreateTables(State);
        _ = new AccessTable(State);
        _log = SegmentedMessageLog.Open(Path.Combine(directory, "log"));
        Messages = new MessageStore(_log);
        Blobs = FileBlobStore.Open(Path.Combine(directory, "blobs"));
    }

    public string Directory { get; }

    public bool WasReplaced { get; }

    public KeyPair Identity { get; }

    public StateDatabase State { get; }

    public MessageStore Messages { get; }

    public FileBlobStore Blobs { get; }

    public IReadOnlyList<BlobId> Pictures { get; private set; } = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static KeptBox Open(string directory) => new(directory, isLocked: true);

    /// <summary>A new box; the seed makes its key.</summary>
    public static async Task<KeptBox> CreateAsync(string directory, int seed, int ownMessages = 5, params int[] pictures)
    {
        _ = System.IO.Directory.CreateDirectory(directory);
        var author = new TestAuthor(seed);
        SecretFile.Write(directory, author.Keys);
        var box = new KeptBox(directory, isLocked: true);
        foreach (var feed in (TestAuthor[])[author, Owner, Stranger])
        {
            _ = await box.Messages.AppendAsync(feed.WriteFeed(ownMessages, $"of {seed}"), 1, Stop);
        }

        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
        Assert.True(new OwnerTable(box.State).TrySetFirst(Owner.Id, now));
        var invites = new InvitesTable(box.State);
        invites.Add(new Invite(Invite, 3, 0, "for “Mira”", now, now.AddDays(1), null, author.Id));
        Assert.Equal(InviteTake.Taken, invites.TryTake(Invite, Stranger.Id, now).Take);
        Assert.True(new ReplicateListTable(box.State).Add(Listed, 7));
        new KnownAddressesTable(box.State).Save([new("net:192.0.2.1:8008~shs:x", Stranger.Id, AddressSource.Owner, now, 2)]);
        new OwnFeedTable(box.State).Write(author.Id, isFree: true, 1);
        Assert.True(new AccessTable(box.State).TrySetFirstPassword($"hash of {seed}", now));
        var blobs = new BlobTable(box.State);
        var ids = new List<BlobId>();
        foreach (var size in pictures)
        {
            await using var writer = box.Blobs.BeginWrite(size);
            await writer.WriteAsync(RandomNumberGenerator.GetBytes(size), Stop);
            var (id, _) = await writer.CommitAsync(null, Stop);
            blobs.Add(id, size, author.Id, isMentioned: true, now);
            ids.Add(id);
        }

        box.Pictures = ids;
        return box;
    }

    public BackupMaker Maker() => new(
        new BackupSource(Identity, Messages, Blobs, State, () => new OwnerTable(State).Owner, () => "Kitchen", () => "hops = 3\n", "1.2.3"),
        TimeProvider.System);

    public async Task<byte[]> BackUpAsync()
    {
        using var file = new MemoryStream();
        using var maker = Maker();
        var summary = await maker.WriteAsync(file, BackupKey.Create(Passphrase, Cheap), Stop);
        Assert.Equal(file.Length, summary.Bytes);
        return file.ToArray();
    }

    public BackupRestore Restore(Func<bool>? hasRoom = null, HmacKey? hmacKey = null) =>
        new(new RestorePlace(Directory, hmacKey, hasRoom ?? (static () => true), static lines => "web-port = 1\n" + lines, State, Messages.SequenceOf), TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        Messages.Dispose();
        await _log.DisposeAsync();
        State.Dispose();
        _data?.Dispose();
    }
}
