namespace PiPub.Node.Backups;

/// <summary>What a backup holds.</summary>
/// <param name="About">Whose it is.</param>
/// <param name="Messages">How many messages.</param>
/// <param name="Blobs">How many pictures and files.</param>
/// <param name="Invites">How many invites.</param>
/// <param name="Bytes">The size of the file in bytes, where it was written; else 0.</param>
public sealed record BackupSummary(BackupAbout About, long Messages, long Blobs, long Invites, long Bytes)
{
    /// <summary>True for a key alone, which recovery words give.</summary>
    public bool IsKeyOnly { get; init; }
}
