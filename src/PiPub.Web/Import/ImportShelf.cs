using PiPub.Storage.Import;

namespace PiPub.Web.Import;

/// <summary>Where an owner can lay what is to be imported: the folder at the box, and the USB sticks that are put in.</summary>
/// <param name="path">The folder; it may be missing.</param>
/// <param name="sticks">Where the sticks that are in now are mounted; null where the box takes none.</param>
public sealed class ImportShelf(string path, Func<IReadOnlyList<string>>? sticks = null)
{
    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>Whether sticks are looked at, too.</summary>
    public bool TakesSticks => sticks is not null;

    /// <summary>What lies there that can be imported.</summary>
    public IReadOnlyList<LegacyDirectory> Look() => [.. LegacyDirectory.LookIn(path), .. (sticks?.Invoke() ?? []).SelectMany(LegacyDirectory.LookIn)];
}
