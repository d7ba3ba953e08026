using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Import;

namespace PiPub.Node.Import;

/// <summary>What the owner wants brought along.</summary>
/// <param name="Source">Where it lies; null for an identity alone.</param>
/// <param name="Name">What the owner calls it.</param>
public sealed record ImportOrder(LegacyDirectory? Source, string Name)
{
    /// <summary>The key pair to go on with, once the messages are here; null for the one that the box has.</summary>
    public KeyPair? Identity { get; init; }

    /// <summary>The owner has confirmed that nobody else will ever use that key pair again.</summary>
    public bool IsOldPubOff { get; init; }

    /// <summary>The owner has confirmed that the box gives up an identity with which it has published.</summary>
    public bool MayReplace { get; init; }

    /// <summary>The owner says that nothing was published on the old pub's feed after these files were copied.</summary>
    public bool IsComplete { get; init; }

    /// <summary>Done when the files are not needed any more, however it ends.</summary>
    public Action? Release { get; init; }
}
