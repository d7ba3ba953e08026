using System.Buffers.Binary;
using System.Security.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>
/// What is remembered of a peer between sessions: for each feed, the sequence that it told us and the one we told it.
/// Feeds of which both sides know all of that already are passed over when the peer comes back ("request skipping").
/// </summary>
/// <remarks>
/// A cache: losing it costs one full exchange of notes. As bytes: <c>"EBT1"</c>, then for each feed the first 8 bytes of
/// its key and two variable-length integers (0 for unknown, 1 for "not replicated", else the sequence plus 2), then the
/// first 8 bytes of the SHA-256 of all before; about 12 bytes a feed. Eight bytes of a key are enough to tell feeds
/// apart here: a forged prefix would spoil only what a peer's notes say once.
/// Source: ssb-ebt 9.1.2, index.js (getClock, setClock), which keeps the peer's clock alone; what we told is kept too,
/// so that a feed that we did not want when we last spoke is asked for again (ssb-ebt issue 61).
/// </remarks>
public sealed class EbtMemory
{
    private const int PrefixLength = 8;
    private const int ChecksumLength = 8;
    private readonly Dictionary<ulong, (int Remote, int Told)> _feeds = [];

    /// <summary>Marks a number of which nothing is known.</summary>
    public const int Unknown = -2;

    private static ReadOnlySpan<byte> Magic => "EBT1"u8;

    /// <summary>The number of feeds remembered.</summary>
    public int Count => _feeds.Count;

    /// <summary>Remembers a feed.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="remote">The sequence that the peer has, -1 for "not replicated", or <see cref="Unknown"/>.</param>
    /// <param name="told">The sequence that we told it, -1 for "not replicated", or <see cref="Unknown"/>.</param>
    public void Set(FeedId feed, int remote, int told) => _feeds[Prefix(feed)] = (remote, told);

    /// <summary>Recalls a feed.</summary>
    public bool TryGet(FeedId feed, out int remote, out int told)
    {
        var found = _feeds.TryGetValue(Prefix(feed), out var entry);
        (remote, told) = found ? entry : (Unknown, Unknown);
        return found;
    }

    /// <summary>The bytes to keep.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[Magic.Length + (_feeds.Count * (PrefixLength + 10)) + ChecksumLength];
        Magic.CopyTo(bytes);
        var length = Magic.Length;
        foreach (var (prefix, (remote, told)) in _feeds)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(length), prefix);
            length += PrefixLength;
            length += WriteVarint(bytes.AsSpan(length), remote);
            length += WriteVarint(bytes.AsSpan(length), told);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(bytes.AsSpan(0, length), hash);
        hash[..ChecksumLength].CopyTo(bytes.AsSpan(length));
        return bytes.AsSpan(0, length + ChecksumLength).ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; anything else, damaged or of another version, reads as an empty memory.</summary>
    public static EbtMemory Decode(ReadOnlySpan<byte> bytes)
    {
        var memory = new EbtMemory();
        if (bytes.Length < Magic.Length + ChecksumLength || !bytes.StartsWith(Magic))
        {
            return memory;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(bytes[..^ChecksumLength], hash);
        if (!hash[..ChecksumLength].SequenceEqual(bytes[^ChecksumLength..]))
        {
            return memory;
        }

        var rest = bytes[Magic.Length..^ChecksumLength];
        while (rest.Length > PrefixLength)
        {
            var prefix = BinaryPrimitives.ReadUInt64LittleEndian(rest);
            rest = rest[PrefixLength..];
            memory._feeds[prefix] = (ReadVarint(ref rest), ReadVarint(ref rest));
        }

        return memory;
    }

    private static ulong Prefix(FeedId feed) => BinaryPrimitives.ReadUInt64LittleEndian(feed.AsSpan());

    private static int WriteVarint(Span<byte> output, int value)
    {
        var rest = (uint)(value - Unknown);
        var length = 0;
        while (rest >= 0x80)
        {
            output[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        output[length++] = (byte)rest;
        return length;
    }

    private static int ReadVarint(ref ReadOnlySpan<byte> input)
    {
        uint value = 0;
        for (var shift = 0; shift < 35 && !input.IsEmpty; shift += 7)
        {
            var next = input[0];
            input = input[1..];
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        return (int)value + Unknown;
    }
}
