using System.Text.Json;

namespace PiPub.Node.Discovery;

/// <summary>What became of discovery packets since the box started. Most of what is wrong with them leaves no other trace.</summary>
public sealed class LanCounters(TimeProvider time)
{
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(30);

    private long _received;
    private long _announcements;
    private long _repeated;
    private long _own;
    private long _malformed;
    private long _oversized;
    private long _otherNetwork;
    private long _unverified;
    private long _spoofed;
    private long _replayed;
    private long _unusable;
    private long _overLimit;
    private long _sent;
    private long _sendErrors;
    private long _droppedServices;
    private long _otherNetworkAt;

    /// <summary>Packets that were taken from the sockets.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Packets that told something new.</summary>
    public long Announcements => Volatile.Read(ref _announcements);

    /// <summary>Packets that told what was known: their sender is still there.</summary>
    public long Repeated => Volatile.Read(ref _repeated);

    /// <summary>The box's own packets, come back.</summary>
    public long Own => Volatile.Read(ref _own);

    /// <summary>Packets that are none.</summary>
    public long Malformed => Volatile.Read(ref _malformed);

    /// <summary>Packets longer than 2,048 bytes.</summary>
    public long Oversized => Volatile.Read(ref _oversized);

    /// <summary>Encrypted packets that this network's key does not open: damaged, or of another network.</summary>
    public long OtherNetwork => Volatile.Read(ref _otherNetwork);

    /// <summary>Whether such a one came in the last half minute.</summary>
    public bool IsOtherNetworkHeard => OtherNetwork > 0 && time.GetElapsedTime(Volatile.Read(ref _otherNetworkAt)) < Lately;

    /// <summary>Encrypted packets with a wrong signature.</summary>
    public long Unverified => Volatile.Read(ref _unverified);

    /// <summary>Packets without a good signature that do not come from where they say their sender is.</summary>
    public long Spoofed => Volatile.Read(ref _spoofed);

    /// <summary>Packets that somebody sent again while their first sender is still heard.</summary>
    public long Replayed => Volatile.Read(ref _replayed);

    /// <summary>Packets whose addresses are all such as are not dialled: loopback, this box, another network.</summary>
    public long Unusable => Volatile.Read(ref _unusable);

    /// <summary>Packets dropped unread, because their sender or all together sent too many.</summary>
    public long OverLimit => Volatile.Read(ref _overLimit);

    /// <summary>Packets sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Packets that could not be sent.</summary>
    public long SendErrors => Volatile.Read(ref _sendErrors);

    /// <summary>Services found by mDNS that had no id, or an address that is not a neighbour's.</summary>
    public long DroppedServices => Volatile.Read(ref _droppedServices);

    internal void CountReceived() => Interlocked.Increment(ref _received);

    internal void CountAnnouncement() => Interlocked.Increment(ref _announcements);

    internal void CountRepeated() => Interlocked.Increment(ref _repeated);

    internal void CountOwn() => Interlocked.Increment(ref _own);

    internal void CountMalformed() => Interlocked.Increment(ref _malformed);

    internal void CountOversized() => Interlocked.Increment(ref _oversized);

    internal void CountOtherNetwork()
    {
        Interlocked.Increment(ref _otherNetwork);
        Volatile.Write(ref _otherNetworkAt, time.GetTimestamp());
    }

    internal void CountUnverified() => Interlocked.Increment(ref _unverified);

    internal void CountSpoofed() => Interlocked.Increment(ref _spoofed);

    internal void CountReplayed() => Interlocked.Increment(ref _replayed);

    internal void CountUnusable() => Interlocked.Increment(ref _unusable);

    internal void CountOverLimit() => Interlocked.Increment(ref _overLimit);

    internal void CountSent() => Interlocked.Increment(ref _sent);

    internal void CountSendError() => Interlocked.Increment(ref _sendErrors);

    internal void CountDroppedService() => Interlocked.Increment(ref _droppedServices);

    /// <summary>Writes all of them as members of an object that is open.</summary>
    public void Write(Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteNumber("received"u8, Received);
        json.WriteNumber("announcements"u8, Announcements);
        json.WriteNumber("repeated"u8, Repeated);
        json.WriteNumber("own"u8, Own);
        json.WriteNumber("malformed"u8, Malformed);
        json.WriteNumber("oversized"u8, Oversized);
        json.WriteNumber("otherNetwork"u8, OtherNetwork);
        json.WriteNumber("unverified"u8, Unverified);
        json.WriteNumber("spoofed"u8, Spoofed);
        json.WriteNumber("replayed"u8, Replayed);
        json.WriteNumber("unusable"u8, Unusable);
        json.WriteNumber("overLimit"u8, OverLimit);
        json.WriteNumber("sent"u8, Sent);
        json.WriteNumber("sendErrors"u8, SendErrors);
        json.WriteNumber("droppedServices"u8, DroppedServices);
    }
}
