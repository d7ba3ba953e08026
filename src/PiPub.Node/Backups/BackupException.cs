namespace PiPub.Node.Backups;

/// <summary>Why a backup cannot be used.</summary>
public enum BackupProblem
{
    /// <summary>The file is something else.</summary>
    NotABackup,

    /// <summary>It was made by a later version of PiPub.</summary>
    NewerVersion,

    /// <summary>The passphrase is not the one that it was made with.</summary>
    WrongPassphrase,

    /// <summary>The file ends between two pieces, or in its first bytes.</summary>
    CutOff,

    /// <summary>Bytes of it are not what was written, or the last piece lacks its end.</summary>
    Damaged,

    /// <summary>Its messages were signed for another network.</summary>
    OtherNetwork,

    /// <summary>There is no room on the disk for what is in it.</summary>
    NoRoom,
}

/// <summary>A backup cannot be used, and nothing has changed. The message is for a person.</summary>
public sealed class BackupException : IOException
{
    /// <summary>Says what is wrong and what to do.</summary>
    public BackupException(BackupProblem problem, Exception? inner = null)
        : base(Words(problem), inner) => Problem = problem;

    /// <summary>What is wrong.</summary>
    public BackupProblem Problem { get; }

    private static string Words(BackupProblem problem) => problem switch
    {
        BackupProblem.NotABackup => "This file is not a backup of a PiPub box. Choose the file that the box gave you; its name ends with .pipub-backup.",
        BackupProblem.NewerVersion => "This backup was made by a newer version of PiPub. Update this one first, then try again.",
        BackupProblem.WrongPassphrase => "This is not the passphrase that the backup was made with. Try again; capital letters and spaces count.",
        BackupProblem.CutOff => "This backup is not whole: its end is missing. Copy the file again from where it was made, or take another backup.",
        BackupProblem.Damaged => "This backup is damaged or not whole: what it holds is not what was written. Copy the file again from where it was made, or take another backup.",
        BackupProblem.OtherNetwork => "This backup is of a box in another network. Set network-key and message-hmac-key as that box had them, then try again.",
        _ => "There is not enough room on this box's disk for what is in the backup. Free some space, or use a larger card.",
    };
}
