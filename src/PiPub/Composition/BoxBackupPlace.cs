using PiPub.Appliance.Usb;
using PiPub.Configuration;
using PiPub.Node.Backups;
using PiPub.Node.Sentences;
using PiPub.Web.Backups;

namespace PiPub.Composition;

/// <summary>Where backups go, as the settings page chooses it.</summary>
internal sealed class BoxBackupPlace(PiPubOptions options, BackupSchedule schedule, UsbSticks sticks) : IBackupPlace
{
    public bool TakesSticks => options.UsbDirectory is not null;

    public bool HasStick => sticks.All().Count > 0;

    public IReadOnlyList<StoredBackup> OnSticks() =>
        [.. sticks.Backups(BackupMaker.FileSuffix).Select(static file => new StoredBackup(file.FullName, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero), file.Length))];

    public void Choose(string? directory)
    {
        if (directory is not null && directory != BackupSchedule.OnStick && !(Path.IsPathFullyQualified(directory) && Directory.Exists(directory)))
        {
            throw new RefusedException(Sentence.Of($"There is no folder {directory} on this machine. Make it first."));
        }

        WrittenConfiguration.Write(options, ("backup-directory", directory ?? "none"));
        options.BackupDirectory = directory;
        schedule.Directory = directory;
    }
}
