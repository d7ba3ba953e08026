using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Blobs;
using PiPub.Node.Import;
using PiPub.Node.Peers;
using PiPub.Node.Publishing;
using PiPub.Node.Tests.Blobs;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Tests.LegacyLogs;
using PiPub.Storage.Import;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Import;

/// <summary>A box as far as imports go, and a directory of another program beside it.</summary>
internal sealed class TestImport : IAsyncDisposable
{
    private readonly BlobNode _blobs = new(new BlobLimits { MaxSize = 10_000 });

    public TestImport()
    {
        Box = new TestAuthor(1);
        OwnFeedTable = new OwnFeedTable(Door.State);
        Guard = new OwnFeedGuard(Box.Id, Door.Store, Door.Forks, OwnFeedTable, TimeProvider.System);
        Addresses = new AddressBook(new KnownAddressesTable(Door.State), Box.Id);
        Importer = Open();
    }

    public TestDoor Door { get; } = new();

    public TestAuthor Box { get; }

    public OwnFeedTable OwnFeedTable { get; }

    public OwnFeedGuard Guard { get; }

    public AddressBook Addresses { get; }

    public HashSet<FeedId> Blocked { get; } = [];

    public Importer Importer { get; private set; }

    public BlobCollection Blobs => _blobs.Blobs;

    public long FreeBytes { get; set; } = 1_000_000_000;

    public int Restarts { get; private set; }

    /// <summary>The box's data directory.</summary>
    public string Data { get; } = Directory.CreateTempSubdirectory("pipub-import-").FullName;

    /// <summary>The other program's.</summary>
    public string Old { get; } = Directory.CreateTempSubdirectory("pipub-old-").FullName;

    public Importer Open() => new(
        new ImportRoom
        {
            Box = Box.Id,
            DataDirectory = Data,
            Messages = Door.Store,
            Intake = Door.Intake,
            IsBlocked = Blocked.Contains,
            Blobs = _blobs.Blobs,
            BlobExchange = _blobs.Exchange,
            Addresses = Addresses,
            OwnFeed = Guard,
            OwnFeedTable = OwnFeedTable,
            Results = new ImportTable(Door.State),
            FreeBytes = () => FreeBytes,
            Restart = () => Restarts++,
        },
        TimeProvider.System,
        NullLogger<Importer>.Instance);

    /// <summary>Writes the other program's log.</summary>
    public LegacyDirectory Write(params IEnumerable<Message> messages) => WriteValues(messages.Select(static message => Encoding.UTF8.GetString(message.Value.Span)));

    public LegacyDirectory WriteValues(params IEnumerable<string> values)
    {
        Directory.CreateDirectory(Path.Combine(Old, "flume"));
        File.WriteAllBytes(Path.Combine(Old, "flume", "log.offset"), WrittenLog.Flume(4, values.Select(WrittenLog.Envelope)));
        return LegacyDirectory.Look(Old)!;
    }

    public Task<ImportProgress> RunAsync(LegacyDirectory source) => RunAsync(new ImportOrder(source, "old"));

    public async Task<ImportProgress> RunAsync(ImportOrder order)
    {
        Importer.Start(order);
        return await EndAsync();
    }

    public async Task<ImportProgress> EndAsync()
    {
        while (Importer.Progress.State == ImportState.Running)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        return Importer.Progress;
    }

    public async ValueTask DisposeAsync()
    {
        Door.Log.Resume();
        await Importer.DisposeAsync();
        await Door.DisposeAsync();
        await _blobs.DisposeAsync();
        Directory.Delete(Data, recursive: true);
        Directory.Delete(Old, recursive: true);
    }
}
