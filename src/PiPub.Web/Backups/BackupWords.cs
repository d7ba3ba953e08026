using Microsoft.Extensions.Localization;
using PiPub.Node.Backups;
using PiPub.Web.Language;

namespace PiPub.Web.Backups;

/// <summary>What is said to somebody whose backup cannot be used.</summary>
internal static class BackupWords
{
    /// <summary>Why, and what to do next.</summary>
    public static string Of(IStringLocalizer<Words> words, BackupProblem problem) => problem switch
    {
        BackupProblem.NotABackup => words["This file is not a backup of a PiPub box. Its name ends with {0}.", BackupMaker.FileSuffix],
        BackupProblem.NewerVersion => words["This backup was made by a newer version of PiPub. Update this box first."],
        BackupProblem.WrongPassphrase => words["This is not the passphrase of the backup. Capital letters and spaces count."],
        BackupProblem.CutOff or BackupProblem.Damaged => words["This backup is damaged or not whole. Copy the file again from where it was made, or take another backup."],
        BackupProblem.OtherNetwork => words["This backup is of a box in another network than this one."],
        BackupProblem.NoRoom => words["There is not enough room on the card for what is in the backup."],
        _ => (string)words["The backup did not arrive here wholly. Try again."],
    };
}
