using System.Buffers.Binary;
using PiPub.Scuttlebutt.Cryptography;

namespace PiPub.Node.Backups;

/// <summary>The beginning of a backup file: what is needed to open the rest.</summary>
/// <remarks>
/// <para>A backup is this header and a sealed stream. In bytes: "PiPub backup" (12), version 1 (1), passes of Argon2id (1),
/// its memory in KiB, little-endian (4), its salt (16), the key's check (16), the secret stream's header (24); 74 in all.</para>
/// <para>The stream is libsodium's crypto_secretstream_xchacha20poly1305 in pieces of 65,536 bytes, 17 more when sealed;
/// the last one is shorter or as long, and marked as the last. Its key is bound to everything before the check.</para>
/// <para>What is inside is a series of records (<see cref="BackupRecord"/>).</para>
/// </remarks>
internal static class BackupHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Length = BoundBytes + BackupKey.CheckBytes + Sodium.SecretStreamHeaderBytes;

    /// <summary>Bytes of a piece before it is sealed.</summary>
    public const int PieceBytes = 64 * 1024;

    /// <summary>What a file that this program writes says of itself.</summary>
    public const byte Version = 1;

    /// <summary>What the keys are bound to: all before the check.</summary>
    private const int BoundBytes = 12 + 1 + 1 + 4 + Sodium.SaltBytes;

    private static ReadOnlySpan<byte> Magic => "PiPub backup"u8;

    /// <summary>Begins a file.</summary>
    /// <param name="key">The key.</param>
    /// <param name="header">Receives <see cref="Length"/> bytes.</param>
    /// <param name="state">Receives where the stream stands.</param>
    public static void Write(BackupKey key, Span<byte> header, Span<byte> state)
    {
        Magic.CopyTo(header);
        header[12] = Version;
        header[13] = (byte)key.Cost.Passes;
        BinaryPrimitives.WriteInt32LittleEndian(header[14..], key.Cost.MemoryKiB);
        key.Salt.CopyTo(header[18..]);
        key.Check(header[..BoundBytes], header.Slice(BoundBytes, BackupKey.CheckBytes));
        Span<byte> streamKey = stackalloc byte[Sodium.KeyBytes];
        key.StreamKey(header[..BoundBytes], streamKey);
        Sodium.BeginSealing(state, header[(BoundBytes + BackupKey.CheckBytes)..Length], streamKey);
    }

    /// <summary>Reads the beginning of a file, of which there may be less than there should.</summary>
    /// <exception cref="BackupException">It is none that this passphrase opens.</exception>
    public static void Read(ReadOnlySpan<byte> header, string passphrase, Span<byte> state)
    {
        if (!Magic.StartsWith(header[..Math.Min(header.Length, Magic.Length)]) || header.IsEmpty)
        {
            throw new BackupException(BackupProblem.NotABackup);
        }

        if (header.Length > 12 && header[12] > Version)
        {
            throw new BackupException(BackupProblem.NewerVersion);
        }

        if (header.Length < Length)
        {
            throw new BackupException(BackupProblem.CutOff);
        }

        var cost = new PassphraseCost(header[13], BinaryPrimitives.ReadInt32LittleEndian(header[14..]));
        if (header[12] == 0 || !cost.IsBearable)
        {
            throw new BackupException(BackupProblem.Damaged);
        }

        var key = BackupKey.Derive(passphrase, header.Slice(18, Sodium.SaltBytes).ToArray(), cost);
        Span<byte> check = stackalloc byte[BackupKey.CheckBytes];
        key.Check(header[..BoundBytes], check);
        if (!check.SequenceEqual(header.Slice(BoundBytes, BackupKey.CheckBytes)))
        {
            throw new BackupException(BackupProblem.WrongPassphrase);
        }

        Span<byte> streamKey = stackalloc byte[Sodium.KeyBytes];
        key.StreamKey(header[..BoundBytes], streamKey);
        Sodium.BeginOpening(state, header[(BoundBytes + BackupKey.CheckBytes)..Length], streamKey);
    }
}
