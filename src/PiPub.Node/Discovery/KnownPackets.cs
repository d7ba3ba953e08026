namespace PiPub.Node.Discovery;

/// <summary>
/// Remembers the packets that are heard again and again: everybody repeats the same bytes every second or two, and reading
/// them once is enough. Bounded; forgets what is not heard any more.
/// </summary>
internal sealed class KnownPackets
{
    private const int MaxPackets = 512;

    private readonly Dictionary<int, Packet> _packets = new(MaxPackets);

    public int Count => _packets.Count;

    /// <summary>The same bytes on the same interface; null when they are new.</summary>
    public Packet? Find(ReadOnlySpan<byte> bytes, int interfaceIndex) =>
        _packets.TryGetValue(Hash(bytes, interfaceIndex), out var packet) && packet.Source.Interface == interfaceIndex && bytes.SequenceEqual(packet.Bytes) ? packet : null;

    /// <summary>Remembers a packet that has been read. When there is no room it will be read again.</summary>
    /// <param name="bytes">The packet.</param>
    /// <param name="source">Who sent it first.</param>
    /// <param name="sightings">What it told; nothing for the box's own.</param>
    /// <param name="now">Time stamp.</param>
    public void Add(ReadOnlySpan<byte> bytes, LanSource source, LanSighting[] sightings, long now)
    {
        if (_packets.Count < MaxPackets)
        {
            // Two packets of one hash: a rare chance, as the hash is seeded. The later one is remembered.
            _packets[Hash(bytes, source.Interface)] = new Packet(bytes.ToArray(), source, sightings) { HeardAt = now };
        }
    }

    /// <summary>Forgets what was last heard before a time stamp.</summary>
    public void ForgetBefore(long time)
    {
        foreach (var (hash, packet) in _packets)
        {
            if (packet.HeardAt < time)
            {
                _ = _packets.Remove(hash);
            }
        }
    }

    /// <summary>Forgets everything: what was told has to be judged anew.</summary>
    public void Clear() => _packets.Clear();

    private static int Hash(ReadOnlySpan<byte> bytes, int interfaceIndex)
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        hash.Add(interfaceIndex);
        return hash.ToHashCode();
    }

    internal sealed class Packet(byte[] bytes, LanSource source, LanSighting[] sightings)
    {
        public byte[] Bytes => bytes;

        public LanSource Source => source;

        public LanSighting[] Sightings => sightings;

        public long HeardAt { get; set; }
    }
}
