using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PiPub.Appliance.Usb;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Node.Backups;
using PiPub.Node.Profiles;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;
using PiPub.Web.Backups;

namespace PiPub.Composition;

/// <summary>What makes the box's backups, by hand and by itself, and what puts one back.</summary>
internal sealed class BoxBackups : IAsyncDisposable
{
    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly BoxLife _life;
    private readonly BackupMaker _maker;
    private readonly BackupRestore _restore;
    private readonly BackupSchedule _schedule;
    private readonly BoxBackupPlace _place;

    public BoxBackups(PiPubOptions options, BoxStorage storage, BoxNode node, BoxLife life, ILoggerFactory logs, TimeProvider time)
    {
        _life = life;
        Notes = new BackupTable(storage.State);
        _maker = _closing.Add(new BackupMaker(SourceOf(options, storage, () => node.Owner.Owner, time), time));
        _restore = _closing.Add(new BackupRestore(PlaceOf(options, () => storage.Directory.FreeBytes, storage.State, storage.Messages.SequenceOf), time));
        var sticks = new UsbSticks(options.UsbDirectory);
        _schedule = new BackupSchedule(
            _maker, new BackupPlan(storage.Directory.Path, options.BackupDirectory, options.BackupEvery, () => sticks.All() is [var stick, ..] ? Path.Combine(stick, UsbSticks.BackupFolder) : null), Notes, time, logs.CreateLogger<BackupSchedule>());
        new BackupMethods(_maker, Notes, time).Register(node.Methods);
        _place = new BoxBackupPlace(options, _schedule, sticks);
        _ = _closing.Add(new Background(_schedule.RunAsync, _stopping, logs.CreateLogger<BoxBackups>()));
    }

    /// <summary>When the box was backed up last.</summary>
    public BackupTable Notes { get; }

    /// <summary>What a backup of a box is made of.</summary>
    public static BackupSource SourceOf(PiPubOptions options, BoxStorage storage, Func<FeedId?> owner, TimeProvider time)
    {
        var profiles = new Profiles(storage.Views, storage.Identity.Id, time);
        return new BackupSource(
            storage.Identity,
            storage.Messages,
            storage.Blobs,
            storage.State,
            owner,
            () => profiles.Of(storage.Identity.Id) is { IsNamed: true, Name: var name } ? name : "",
            () => ConfigurationFile.Portable(options.ConfigurationFile),
            Box.Version);
    }

    /// <summary>Where a backup is put back.</summary>
    public static RestorePlace PlaceOf(PiPubOptions options, Func<long> freeBytes, StateDatabase? machine, Func<FeedId, int> sequenceOf) => new(
        options.DataDirectory,
        options.MessageHmacKey,
        () => freeBytes() > options.MinFreeSpace,
        lines => ConfigurationFile.WithPortable(options.ConfigurationFile, lines),
        machine,
        sequenceOf);

    /// <summary>Adds what the pages ask for.</summary>
    public void AddServices(IServiceCollection services)
    {
        services.AddSingleton(_maker);
        services.AddSingleton(_restore);
        services.AddSingleton(_schedule);
        services.AddSingleton<IBackupPlace>(_place);
        services.AddSingleton(Notes);
        services.AddSingleton<IPutBack>(new StagedRestore(_restore, _life));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _stopping.Dispose();
    }
}
