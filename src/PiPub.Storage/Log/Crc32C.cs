using System.Buffers.Binary;
using System.Numerics;

namespace PiPub.Storage.Log;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 section 12.1), which x64 and arm64 compute in hardware, 8 bytes at a time.
/// </summary>
internal static class Crc32C
{
    /// <summary>Continues a checksum that began with <paramref name="seed"/> 0 over more bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
