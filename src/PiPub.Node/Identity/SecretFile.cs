using System.Text;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;

namespace PiPub.Node.Identity;

/// <summary>
/// The file <c>secret</c> in the data directory: the box's own key pair. Made once, readable by its user only (mode 0400),
/// never overwritten, and only by <see cref="IdentityChange"/> replaced, which keeps it beside. It is the machine's identity, not its owner's, who is a person with a key in their own phone.
/// </summary>
/// <remarks>Its text is <see cref="SecretText"/>'s. Source: ssb-keys 8.5.0, storage.js.</remarks>
public static class SecretFile
{
    /// <summary>What it is called.</summary>
    public const string Name = "secret";

    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads the box's key pair, and makes one when there is none.</summary>
    /// <param name="dataDirectory">Where the file lies.</param>
    /// <param name="isNew">True when the file was made just now.</param>
    /// <exception cref="InvalidDataException">There is a file, but no key pair in it.</exception>
    public static KeyPair ReadOrCreate(string dataDirectory, out bool isNew)
    {
        var path = Path.Combine(dataDirectory, Name);
        isNew = !File.Exists(path);
        return isNew ? Create(dataDirectory) : Read(path);
    }

    /// <summary>Whether the data directory has a secret.</summary>
    public static bool Exists(string dataDirectory) => File.Exists(Path.Combine(dataDirectory, Name));

    /// <summary>Reads a key pair from a file of this kind, whoever has written it.</summary>
    /// <exception cref="InvalidDataException">There is no key pair in it; the message says why.</exception>
    public static KeyPair ReadFrom(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes
                ? SecretText.Parse(File.ReadAllText(path))
                : throw new FormatException("It is too large.");
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"{path} is not a secret. {e.Message}", e);
        }
    }

    /// <summary>Writes the key pair of an identity that was made elsewhere into a directory that has none.</summary>
    /// <exception cref="IOException">There is one already, or it cannot be written.</exception>
    public static void Write(string directory, KeyPair pair) => WriteTo(Path.Combine(directory, Name), pair, replace: false);

    /// <summary>Writes a key pair to a file of this kind, whole or not at all.</summary>
    /// <exception cref="IOException">The disk is full or failing, or the file is there and is not to be replaced.</exception>
    internal static void WriteTo(string path, KeyPair pair, bool replace)
    {
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (var file = new FileStream(unfinished, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead,
        }))
        {
            file.Write(Encoding.UTF8.GetBytes(SecretText.Format(pair)));
            file.Flush(flushToDisk: true);
        }

        // A crash leaves only the unfinished one behind.
        File.Move(unfinished, path, replace);
        FileSync.Directory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static KeyPair Read(string path)
    {
        try
        {
            return ReadFrom(path);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path} is not the secret of a box. {e.InnerException!.Message} Put the right file back from a backup; without it the box's feed cannot go on.", e);
        }
    }

    private static KeyPair Create(string dataDirectory)
    {
        var pair = KeyPair.Generate();
        Write(dataDirectory, pair);
        return pair;
    }
}
