using System.Text;

namespace PiPub.Configuration;

/// <summary>
/// Writes single settings into <c>pipub.conf</c>, for the pages that change them. Every other line, comments too, stays as the owner
/// wrote it.
/// </summary>
public static class ConfigurationFile
{
    /// <summary>Sets a key that has one value: in its line if there is one, else in a new one at the end. The file is replaced whole or not at all.</summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="key">A key of <see cref="ConfigurationTable"/> that is no list.</param>
    /// <param name="value">Its value as the file has it: one line, no comment.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Set(string path, string key, string value)
    {
        if (ConfigurationTable.Find(key) is not { IsList: false })
        {
            throw new ArgumentException($"{key} is no setting with one value.", nameof(key));
        }

        if (value.AsSpan().ContainsAny("\r\n#"))
        {
            throw new ArgumentException("A value of the configuration file is one line without a comment.", nameof(value));
        }

        var lines = File.Exists(path) ? File.ReadAllLines(path, Encoding.UTF8).ToList() : [];
        var line = $"{key} = {value}";
        var at = lines.FindIndex(written => written.AsSpan().TrimStart().StartsWith(key, StringComparison.Ordinal)
            && written.AsSpan().TrimStart()[key.Length..].TrimStart().StartsWith('='));
        if (at >= 0)
        {
            lines[at] = line;
        }
        else
        {
            lines.Add(line);
        }

        var beside = path + ".new";
        using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }
}
