namespace PiPub.Appliance.Updates;

/// <summary>A version that could be installed, or that was found and will not be.</summary>
/// <param name="Version">Which; the file's name where that is not known.</param>
/// <param name="Notes">What is new, in a sentence; may be empty.</param>
/// <param name="Path">The bundle on a stick; null for one that is to be fetched.</param>
/// <param name="Address">Where it is to be fetched; null for one on a stick.</param>
/// <param name="Size">Its bytes.</param>
public sealed record UpdateOffer(string Version, string Notes, string? Path, Uri? Address, long Size)
{
    /// <summary>Whether it is on a USB stick.</summary>
    public bool IsOnStick => Path is not null;

    /// <summary>Why it will not be installed; null when it can be.</summary>
    public BundleRefusedException? Refused { get; init; }
}
