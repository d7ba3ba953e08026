using System.Text;
using PiPub.Storage.Disk;

namespace PiPub.Configuration;

/// <summary>
/// Writes single settings into <c>pipub.conf</c>, for the pages that change them. Every other line, comments too, stays as the owner
/// wrote it.
/// </summary>
public static class ConfigurationFile
{
    /// <summary>Sets one key.</summary>
    /// <inheritdoc cref="Set(string, ReadOnlySpan{ValueTuple{string, string}})"/>
    public static void Set(string path, string key, string value) => Set(path, (key, value));

    /// <summary>
    /// Sets keys: each in its first line if there is one, else in a new one at the end; further lines of it (a list's) go. An empty
    /// value takes the key out. The file is replaced whole or not at all.
    /// </summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="settings">Keys of <see cref="ConfigurationTable"/> with values as the file has them: one line, no comment. A
    /// list's with commas between.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Set(string path, params ReadOnlySpan<(string Key, string Value)> settings)
    {
        var lines = File.Exists(path) ? File.ReadAllLines(path, Encoding.UTF8).ToList() : [];
        foreach (var (key, value) in settings)
        {
            if (ConfigurationTable.Find(key) is not { } row)
            {
                throw new ArgumentException($"{key} is no setting.", nameof(settings));
            }

            if (value.AsSpan().ContainsAny("\r\n#") || (value.Length > 0 && !IsAllowed(row, value)))
            {
                throw new ArgumentException($"The configuration file cannot have \"{value}\" for {key}.", nameof(settings));
            }

            var at = lines.FindIndex(written => IsOf(written, key));
            _ = lines.RemoveAll(written => IsOf(written, key));
            if (value.Length > 0)
            {
                lines.Insert(at < 0 ? lines.Count : at, $"{key} = {value}");
            }
        }

        Replace(path, lines);
    }

    /// <summary>Takes keys out, so that their defaults hold. A file in which nothing is left goes.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Remove(string path, IEnumerable<string> keys)
    {
        if (!File.Exists(path))
        {
            return;
        }

        var lines = File.ReadAllLines(path, Encoding.UTF8).ToList();
        if (lines.RemoveAll(line => keys.Any(key => IsOf(line, key))) == 0)
        {
            return;
        }

        if (lines.TrueForAll(string.IsNullOrWhiteSpace))
        {
            File.Delete(path);
        }
        else
        {
            Replace(path, lines);
        }
    }

    /// <summary>The settings in a file that are not about the machine, for a backup: its lines, each with a line feed.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string Portable(string path) => Text(Lines(path).Where(static line => KeyOf(line) is { IsOfMachine: false }));

    /// <summary>
    /// What a file becomes when the settings of a backup are put back: its own about the machine stay, and its comments; the others
    /// are those of the backup, as far as this version knows and allows them.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string WithPortable(string path, string portable) => Text(
        Lines(path).Where(static line => KeyOf(line) is null or { IsOfMachine: true })
            .Concat(portable.Split('\n').Where(static line => KeyOf(line) is { IsOfMachine: false } key && IsAllowed(key, ValueOf(line)))));

    private static string[] Lines(string path) => File.Exists(path) ? File.ReadAllLines(path, Encoding.UTF8) : [];

    private static string Text(IEnumerable<string> lines) => string.Concat(lines.Select(static line => line + "\n"));

    private static ConfigurationKey? KeyOf(string line) =>
        line.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals ? ConfigurationTable.Find(line[..equals].Trim()) : null;

    private static string ValueOf(string line)
    {
        var value = line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var comment = value.IndexOf(" #", StringComparison.Ordinal);
        return (comment < 0 ? value : value[..comment]).Trim();
    }

    private static bool IsOf(string line, string key)
    {
        var written = line.AsSpan().TrimStart();
        return written.StartsWith(key, StringComparison.Ordinal) && written[key.Length..].TrimStart().StartsWith('=');
    }

    private static bool IsAllowed(ConfigurationKey key, string value)
    {
        try
        {
            key.Apply(new PiPubOptions(), key.IsList ? value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [value]);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static void Replace(string path, List<string> lines) =>
        FileSync.Replace(path, Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
}
