namespace PiPub.Web.Settings;

/// <summary>How the program on this box is kept up to date.</summary>
public interface IUpdates
{
    /// <summary>The version that runs.</summary>
    string Version { get; }

    /// <summary>Whether the box runs from an image that updates itself. Else whoever installed the program updates it.</summary>
    bool IsFromImage { get; }
}

/// <summary>A program that somebody installed, and updates.</summary>
public sealed record InstalledProgram(string Version) : IUpdates
{
    /// <inheritdoc/>
    public bool IsFromImage => false;
}
