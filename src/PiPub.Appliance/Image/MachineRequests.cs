using PiPub.Storage.Disk;

namespace PiPub.Appliance.Image;

/// <summary>
/// What the box asks its machine for, having no privileges of its own: it leaves a file, and the image's service manager, which
/// watches for it, does the rest.
/// </summary>
/// <param name="directory">Where it is watched for; null where the box does not run from an image.</param>
public sealed class MachineRequests(string? directory)
{
    /// <summary>Whether anybody watches.</summary>
    public bool AreHeard => directory is not null;

    /// <summary>The machine restarts: everything ends in order first.</summary>
    /// <exception cref="IOException">It cannot be asked for.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be asked for.</exception>
    public void Reboot() => Leave("reboot");

    /// <summary>The machine wipes its data partition and restarts as on the first day. There is no way back.</summary>
    /// <exception cref="IOException">It cannot be asked for.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be asked for.</exception>
    public void FactoryReset() => Leave("factory-reset");

    private void Leave(string name)
    {
        var place = directory ?? throw new IOException("This box does not run from a PiPub image: whoever looks after its machine does that.");
        Directory.CreateDirectory(place);
        File.WriteAllText(Path.Combine(place, name), "");
        FileSync.Directory(place);
    }
}
