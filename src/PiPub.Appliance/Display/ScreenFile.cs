using System.Text;

namespace PiPub.Appliance.Display;

/// <summary>
/// A screen that is plugged in, or rather the file whose text the image shows on it: the node may not touch screens itself.
/// </summary>
/// <param name="path">The file; its directory is there.</param>
public sealed class ScreenFile(string path) : IPanel
{
    private const string Unfinished = ".unfinished";

    /// <inheritdoc/>
    public int Columns => 80;

    /// <inheritdoc/>
    public int Rows => 24;

    /// <inheritdoc/>
    public void Show(IReadOnlyList<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append("  ").Append(line).Append('\n');
        }

        try
        {
            File.WriteAllText(path + Unfinished, text.ToString());
            File.Move(path + Unfinished, path, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The last words stay on the screen, as on any that is not told otherwise.
    }
}
