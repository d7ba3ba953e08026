namespace PiPub.Appliance.Image;

/// <summary>Which image the box runs from.</summary>
/// <param name="Version">The image's version.</param>
/// <param name="Board">Which machines it is for: <c>rpi</c> or <c>pc</c>.</param>
public sealed record ImageIdentity(string Version, string Board)
{
    private const int MaxBytes = 256;

    /// <summary>What a bundle for it says that it is for.</summary>
    public string Compatible => "pipub-" + Board;

    /// <summary>Reads the files <c>image-version</c> and <c>board</c>; null where there is no image.</summary>
    /// <param name="directory">Where they are; null for nowhere.</param>
    public static ImageIdentity? Read(string? directory) =>
        directory is not null && Line(Path.Combine(directory, "image-version")) is { } version && Line(Path.Combine(directory, "board")) is { } board
            ? new ImageIdentity(version, board)
            : null;

    private static string? Line(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= MaxBytes && File.ReadAllText(path).Trim() is { Length: > 0 } text ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
