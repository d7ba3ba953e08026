using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Storage.Disk;

namespace PiPub.Node.Backups;

/// <summary>What making a key of a passphrase costs whoever does it, and whoever tries to guess the passphrase.</summary>
/// <param name="Passes">How often the memory is gone through: 1 to 16.</param>
/// <param name="MemoryKiB">Memory that it takes, in KiB: 8 to 262,144.</param>
public readonly record struct PassphraseCost(int Passes, int MemoryKiB)
{
    /// <summary>Three passes over 64 MiB, the second recommendation of RFC 9106: one or two seconds on a Raspberry Pi.</summary>
    public static PassphraseCost Usual { get; } = new(3, 64 * 1024);

    /// <summary>What is taken from a file: a made-up one must not take all memory or hours.</summary>
    internal bool IsBearable => Passes is >= 1 and <= 16 && MemoryKiB is >= 8 and <= 256 * 1024;
}

/// <summary>
/// A key for backups: made of a passphrase with Argon2id, and of the same passphrase again with the salt and the cost that
/// stand in the file.
/// </summary>
/// <remarks>
/// The 32 bytes that Argon2id gives are never used as they are: HKDF-SHA-256 makes of them, for each file, the key of its
/// stream and the check by which a wrong passphrase is told from a damaged file. So the bytes may be kept on the box for
/// scheduled backups: whoever reads them there can open the backups, but learns nothing of the passphrase that helps elsewhere.
/// Sources: RFC 9106 (Argon2id), RFC 5869 (HKDF).
/// </remarks>
public sealed class BackupKey
{
    /// <summary>The shortest passphrase that a backup is made with, in characters.</summary>
    public const int MinPassphrase = 12;

    /// <summary>The longest one.</summary>
    public const int MaxPassphrase = 1024;

    internal const int CheckBytes = 16;
    private const string FileName = "backup-key";
    private const int MaxFileBytes = 1024;

    private readonly byte[] _root;
    private readonly byte[] _salt;

    private BackupKey(byte[] root, byte[] salt, PassphraseCost cost) => (_root, _salt, Cost) = (root, salt, cost);

    internal PassphraseCost Cost { get; }

    internal ReadOnlySpan<byte> Salt => _salt;

    /// <summary>Makes a key for new backups, with a salt of its own.</summary>
    public static BackupKey Create(string passphrase, PassphraseCost? cost = null) =>
        Derive(passphrase, RandomNumberGenerator.GetBytes(Sodium.SaltBytes), cost ?? PassphraseCost.Usual);

    /// <summary>Reads the key for scheduled backups that the data directory keeps; null when there is none that can be used.</summary>
    public static BackupKey? Load(string dataDirectory)
    {
        var file = new FileInfo(Path.Combine(dataDirectory, FileName));
        if (!file.Exists || file.Length > MaxFileBytes)
        {
            return null;
        }

        var parts = File.ReadAllText(file.FullName).Trim().Split(' ');
        return parts is ["argon2id", var passes, var memory, var salt, var root]
            && int.TryParse(passes, NumberStyles.None, CultureInfo.InvariantCulture, out var p)
            && int.TryParse(memory, NumberStyles.None, CultureInfo.InvariantCulture, out var m)
            && new PassphraseCost(p, m) is { IsBearable: true } cost
            && TryHex(salt, Sodium.SaltBytes) is { } saltBytes
            && TryHex(root, Sodium.KeyBytes) is { } rootBytes
                ? new BackupKey(rootBytes, saltBytes, cost)
                : null;
    }

    /// <summary>Forgets the key that the data directory keeps.</summary>
    public static void Forget(string dataDirectory) => File.Delete(Path.Combine(dataDirectory, FileName));

    /// <summary>Keeps the key in the data directory for scheduled backups, readable by its user only (mode 0400).</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string dataDirectory) => FileSync.Replace(
        Path.Combine(dataDirectory, FileName),
        Encoding.ASCII.GetBytes($"argon2id {Cost.Passes} {Cost.MemoryKiB} {Convert.ToHexStringLower(_salt)} {Convert.ToHexStringLower(_root)}\n"),
        UnixFileMode.UserRead);

    internal static BackupKey Derive(string passphrase, byte[] salt, PassphraseCost cost)
    {
        var root = new byte[Sodium.KeyBytes];
        var password = Encoding.UTF8.GetBytes(passphrase);
        Sodium.DeriveKey(password, salt, cost.Passes, cost.MemoryKiB * 1024L, root);
        CryptographicOperations.ZeroMemory(password);
        return new BackupKey(root, salt, cost);
    }

    /// <summary>The key of one file's stream, bound to all that stands before it.</summary>
    internal void StreamKey(ReadOnlySpan<byte> before, Span<byte> key) => Expand("stream"u8, before, key);

    /// <summary>By which the right key is known without opening anything.</summary>
    internal void Check(ReadOnlySpan<byte> before, Span<byte> check) => Expand("check"u8, before, check);

    private static byte[]? TryHex(string text, int length)
    {
        var bytes = new byte[length];
        return Convert.FromHexString(text, bytes, out var read, out var written) == System.Buffers.OperationStatus.Done && read == text.Length && written == length ? bytes : null;
    }

    private void Expand(ReadOnlySpan<byte> use, ReadOnlySpan<byte> before, Span<byte> to)
    {
        Span<byte> info = stackalloc byte[use.Length + before.Length];
        use.CopyTo(info);
        before.CopyTo(info[use.Length..]);
        HKDF.Expand(HashAlgorithmName.SHA256, _root, to, info);
    }
}
