using System.Text;
using PiPub.Node.Sentences;
using PiPub.Storage.Disk;

namespace PiPub.Appliance.Provisioning;

/// <summary>
/// A text file on the card's FAT partition, written by whatever computer was at hand: with Windows' line ends, a byte order mark, or an
/// ending <c>.txt</c> that its writer never saw.
/// </summary>
public sealed class CardFile
{
    /// <summary>The largest that is read.</summary>
    public const int MaxBytes = 64 * 1024;

    private CardFile(string name, string path, byte[] bytes, string? text)
    {
        (Name, FilePath, Bytes, Text) = (name, path, bytes, text);
        Lines = (text ?? "").ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
    }

    /// <summary>The name by which it is told of.</summary>
    public string Name { get; }

    /// <summary>Where it is.</summary>
    public string FilePath { get; }

    /// <summary>What is in it.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The same as text; null when it is none.</summary>
    public string? Text { get; }

    /// <summary>Its lines, without their ends.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>Reads the file of a name; null where there is none.</summary>
    /// <param name="directory">The mounted partition.</param>
    /// <param name="name">The name.</param>
    /// <param name="problem">Why there is one that cannot be read.</param>
    public static CardFile? Read(string directory, string name, out CardProblem? problem)
    {
        problem = null;
        var path = new[] { name, name + ".txt" }.Select(one => Path.Combine(directory, one)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            return null;
        }

        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                problem = new CardProblem(name, null, Sentence.Of($"it is larger than {MaxBytes / 1024} KiB."), Sentence.Of($"It cannot be what its name says: take it away, or write it anew."));
                return null;
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            var text = TextOf(bytes);
            if (text is null)
            {
                problem = new CardProblem(name, null, Sentence.Of($"it is no plain text."), Sentence.Of($"Write it with a plain editor (Notepad, TextEdit as plain text), and save it as UTF-8."));
            }

            return new CardFile(name, path, bytes, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = new CardProblem(name, null, Sentence.Of($"it cannot be read: {e.Message}"), Sentence.Of($"Check the card in a computer."));
            return null;
        }
    }

    /// <summary>Overwrites it and takes it off the card. A card may keep old copies of what was overwritten: it is the best that can be done.</summary>
    /// <exception cref="IOException">It cannot be done.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be done.</exception>
    public void Destroy()
    {
        using (var file = new FileStream(FilePath, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(new byte[Bytes.Length]);
            file.Flush(flushToDisk: true);
        }

        File.Delete(FilePath);
        FileSync.Directory(Path.GetDirectoryName(FilePath)!);
    }

    private static string? TextOf(byte[] bytes)
    {
        try
        {
            var text = bytes.AsSpan() is [0xFF, 0xFE, ..] ? new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true).GetString(bytes)
                : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return text.Contains('\0') ? null : text.TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
