using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Identity;

/// <summary>
/// The file <c>secret</c> in the data directory: the box's own key pair. Made once, readable by its user only (mode 0400),
/// never overwritten.
/// </summary>
/// <remarks>
/// The field's format: a JSON object {curve, public, private, id} between lines that begin with <c>#</c>;
/// <c>private</c> is 64 bytes (seed, public key) in base64, followed by <c>.ed25519</c>. Source: ssb-keys 8.5.0, storage.js.
/// </remarks>
public static class SecretFile
{
    private const string Name = "secret";
    private const string Suffix = ".ed25519";
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads the box's key pair, and makes one when there is none.</summary>
    /// <param name="dataDirectory">Where the file lies.</param>
    /// <param name="isNew">True when the file was made just now.</param>
    /// <exception cref="InvalidDataException">There is a file, but no key pair in it.</exception>
    public static KeyPair ReadOrCreate(string dataDirectory, out bool isNew)
    {
        var path = Path.Combine(dataDirectory, Name);
        isNew = !File.Exists(path);
        return isNew ? Create(path) : Read(path);
    }

    /// <summary>Whether the data directory has a secret.</summary>
    public static bool Exists(string dataDirectory) => File.Exists(Path.Combine(dataDirectory, Name));

    /// <summary>The key pair in a file's text.</summary>
    /// <exception cref="FormatException">The text holds none, or one whose halves do not belong together.</exception>
    public static KeyPair Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var json = new StringBuilder();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (!line.TrimStart().StartsWith('#'))
            {
                json.Append(line).Append('\n');
            }
        }

        try
        {
            using var document = JsonDocument.Parse(json.ToString());
            var root = document.RootElement;
            if (root.GetProperty("curve").GetString() != "ed25519")
            {
                throw new FormatException("Its curve is not ed25519.");
            }

            var secretKey = Convert.FromBase64String(WithoutSuffix(root.GetProperty("private").GetString()!));
            if (secretKey.Length != 64)
            {
                throw new FormatException($"Its private key is {secretKey.Length} bytes long instead of 64.");
            }

            var pair = KeyPair.FromSeed(secretKey.AsSpan(0, 32));
            return pair.SecretKey.SequenceEqual(secretKey) && root.GetProperty("id").GetString() == pair.Id.ToString()
                ? pair
                : throw new FormatException("Its private key and its id do not belong together.");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("It is not a key pair in JSON.", e);
        }
    }

    /// <summary>The text of the file for a key pair.</summary>
    public static string Format(KeyPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        var publicKey = Convert.ToBase64String(pair.Id.AsSpan()) + Suffix;
        return $$"""
            # This is the SECRET of a PiPub box: whoever has it can speak as the box.
            # Show it to nobody. Never edit it. Never use it in two places at once:
            # that splits the box's feed in two, which nobody can mend.
            {
              "curve": "ed25519",
              "public": "{{publicKey}}",
              "private": "{{Convert.ToBase64String(pair.SecretKey)}}{{Suffix}}",
              "id": "{{pair.Id}}"
            }
            # Safe to share is only the id:
            #   {{pair.Id}}

            """;
    }

    private static KeyPair Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes
                ? Parse(File.ReadAllText(path))
                : throw new FormatException("It is too large.");
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"{path} is not the secret of a box. {e.Message} Put the right file back from a backup; without it the box's feed cannot go on.", e);
        }
    }

    private static KeyPair Create(string path)
    {
        var pair = KeyPair.Generate();
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (var file = new FileStream(unfinished, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead,
        }))
        {
            file.Write(Encoding.UTF8.GetBytes(Format(pair)));
            file.Flush(flushToDisk: true);
        }

        // Whole or not at all: a crash leaves only the unfinished one behind.
        File.Move(unfinished, path, overwrite: false);
        return pair;
    }

    private static string WithoutSuffix(string key) =>
        key.EndsWith(Suffix, StringComparison.Ordinal) ? key[..^Suffix.Length] : key;
}
