using System.Buffers.Binary;

namespace PiPub.Scuttlebutt.LegacyLogs;

/// <summary>Reads <c>db2/log.bipf</c>, the log of ssb-db2 (Manyverse and others).</summary>
/// <remarks>
/// <para>Source: async-append-only-log 4.3.10, record.js and index.js; ssb-db2 8.1.0, log.js.</para>
/// <para>The log is made of blocks of 64 KiB. A record is its length (16 bits, little-endian) and that many bytes of BIPF, an
/// object <c>{key, value, timestamp}</c>; it never crosses the end of a block. Length 0 ends a block. A deleted record keeps
/// its length; its content is zeros.</para>
/// <para>A length that leads out of its block ends the reading of that block; the next one begins anew.</para>
/// </remarks>
public sealed class AppendOnlyLogReader : LegacyLogReader
{
    /// <summary>The size of a block, in bytes.</summary>
    public const int BlockBytes = 64 * 1024;

    private const int LengthBytes = 2;

    private readonly BipfJson _json = new();

    /// <summary>Begins at the beginning.</summary>
    /// <param name="stream">The log's bytes. It stays open.</param>
    public AppendOnlyLogReader(Stream stream)
        : base(stream)
    {
    }

    /// <inheritdoc/>
    public override bool TryRead(out LegacyRecord record)
    {
        while (true)
        {
            var offset = Window.Position;
            var left = BlockBytes - (int)(offset % BlockBytes);
            var block = Window.Peek(left);
            if (block.Length == 0)
            {
                record = default;
                return false;
            }

            var length = block.Length < LengthBytes ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(block);
            if (length == 0)
            {
                if (block.IndexOfAnyExcept((byte)0) >= 0)
                {
                    Damaged(offset, block.Length, "something stands behind the end of a block");
                }

                Window.Skip(block.Length);
            }
            else if (LengthBytes + length > block.Length)
            {
                Damaged(offset, block.Length, block.Length < left ? "the log ends within a record" : "a record's length leads out of its block");
                Window.Skip(block.Length);
            }
            else
            {
                var content = block.Slice(LengthBytes, length);
                if (content.IndexOfAnyExcept((byte)0) < 0)
                {
                    Deleted++;
                    Window.Skip(LengthBytes + length);
                    continue;
                }

                var isWhole = _json.TryReadMember(content, "value"u8);
                Window.Skip(LengthBytes + length);
                if (isWhole)
                {
                    record = new LegacyRecord(offset, _json.Written.ToArray());
                    return true;
                }

                Damaged(offset, LengthBytes + length, _json.Error!);
            }
        }
    }

    internal static bool LooksLikeOne(ReadOnlySpan<byte> head) =>
        head.Length > LengthBytes && BinaryPrimitives.ReadUInt16LittleEndian(head) > 0 && ((head[LengthBytes] & 7) == BipfJson.Object || head[LengthBytes] == 0);
}
