using PiPub.Storage.Import;

namespace PiPub.Web.Import;

/// <summary>The folder at the box where an owner can lay what is to be imported: what was copied there, or a disk that was put in.</summary>
/// <param name="path">The folder; it may be missing.</param>
public sealed class ImportShelf(string path)
{
    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>What lies there that can be imported.</summary>
    public IReadOnlyList<LegacyDirectory> Look() => LegacyDirectory.LookIn(path);
}
