using System.Buffers.Binary;
using System.Net;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Discovery;

/// <summary>
/// Judges discovery packets. Anybody in the local network can send any number of them in anybody's name, so the cheap
/// questions come first: is it too long, has its sender had its share, is it known already; only then is it read, and of
/// that there is so much a second and no more. What is dropped costs a counter and no memory.
/// </summary>
/// <remarks>
/// <para>What is not well signed must come from the very address that it announces: whoever lies about who it is can then
/// at least not lie about where, and not point the box at a third party.</para>
/// <para>Nothing in a packet says when it was made, so an old one is as good as a new one, until the handshake. While its first
/// sender is still heard, the same packet from elsewhere is dropped as a replay.</para>
/// </remarks>
internal sealed class LanListener
{
    /// <summary>Packets read a second, of all senders together: each may cost a signature's check, a fifth of a millisecond on a Pi.</summary>
    public const int ReadPerSecond = 200;

    /// <summary>Who is silent for so long is gone. Source: ssb-local 1.0.0; ssb-conn 6.0.4.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly FeedId _self;
    private readonly NetworkKey _network;
    private readonly Neighbourhood _neighbourhood;
    private readonly ILanSightings _sightings;
    private readonly LanCounters _counters;
    private readonly TimeProvider _time;
    private readonly SourceBuckets _sources;
    private readonly KnownPackets _known = new();
    private readonly double _readPerTick;
    private TokenBucket _reading;

    public LanListener(FeedId self, NetworkKey network, Neighbourhood neighbourhood, ILanSightings sightings, LanCounters counters, TimeProvider time)
    {
        (_self, _network, _neighbourhood, _sightings, _counters, _time) = (self, network, neighbourhood, sightings, counters, time);
        _sources = new SourceBuckets(time);
        _readPerTick = (double)ReadPerSecond / time.TimestampFrequency;
    }

    /// <summary>Takes a packet as it came. The bytes are the caller's again when this returns. Never throws.</summary>
    /// <param name="packet">The datagram; longer ones cut off somewhere behind the limit.</param>
    /// <param name="source">Whence it came.</param>
    /// <param name="means">Plain or encrypted, by the port.</param>
    public void Take(ReadOnlySpan<byte> packet, in LanSource source, LanMeans means)
    {
        _counters.CountReceived();
        if (packet.Length > LanAnnouncement.MaxPacketLength)
        {
            _counters.CountOversized();
            return;
        }

        lock (_gate)
        {
            var now = _time.GetTimestamp();
            if (!_sources.Take(source, now))
            {
                _counters.CountOverLimit();
            }
            else if (_known.Find(packet, source.Interface) is { } known)
            {
                HeardAgain(known, source, now);
            }
            else if (!_reading.Take(now, _readPerTick, ReadPerSecond))
            {
                _counters.CountOverLimit();
            }
            else
            {
                Read(packet, source, means, now);
            }
        }
    }

    /// <summary>Forgets who is silent. To be called every few seconds.</summary>
    public void ForgetSilent()
    {
        lock (_gate)
        {
            _known.ForgetBefore(_time.GetTimestamp() - (long)(Silence.TotalSeconds * _time.TimestampFrequency));
        }
    }

    /// <summary>The network is another: what was told is to be judged anew.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _known.Clear();
        }
    }

    private void HeardAgain(KnownPackets.Packet known, in LanSource source, long now)
    {
        if (known.Sightings.Length == 0)
        {
            known.HeardAt = now;
            _counters.CountOwn();
        }
        else if (known.Source != source)
        {
            // Once the first sender is silent the packet is forgotten, and judged as anybody's.
            _counters.CountReplayed();
        }
        else
        {
            known.HeardAt = now;
            _counters.CountRepeated();
            foreach (var sighting in known.Sightings)
            {
                _sightings.Saw(sighting);
            }
        }
    }

    private void Read(ReadOnlySpan<byte> packet, in LanSource source, LanMeans means, long now)
    {
        var reading = means == LanMeans.Plain
            ? PlainPacket.Read(packet, _self, out var announcement)
            : EncryptedPacket.Read(packet, _network, _self, out announcement);
        switch (reading)
        {
            case LanReading.Announced:
                Announced(packet, announcement!, source, means, now);
                break;
            case LanReading.Own:
                _counters.CountOwn();
                _known.Add(packet, source, [], now);
                break;
            case LanReading.OtherNetwork:
                _counters.CountOtherNetwork();
                break;
            case LanReading.Oversized:
                _counters.CountOversized();
                break;
            default:
                _counters.CountMalformed();
                break;
        }
    }

    private void Announced(ReadOnlySpan<byte> packet, LanAnnouncement announcement, in LanSource source, LanMeans means, long now)
    {
        var sender = ToAddress(source.Address);
        if (!_neighbourhood.IsNeighbour(sender, source.Interface))
        {
            _counters.CountUnusable();
            return;
        }

        var sightings = new List<LanSighting>(announcement.Addresses.Count);
        var isSpoofed = false;
        foreach (var told in announcement.Addresses)
        {
            if (_neighbourhood.TryPlace(told, source.Interface, out var address))
            {
                if (announcement.IsVerified || IsAt(address, sender))
                {
                    sightings.Add(new LanSighting(announcement.Feed, address, means, announcement.IsVerified, source.Interface));
                }
                else
                {
                    isSpoofed = true;
                }
            }
        }

        if (sightings.Count == 0)
        {
            if (isSpoofed)
            {
                _counters.CountSpoofed();
            }
            else
            {
                _counters.CountUnusable();
            }

            return;
        }

        if (means == LanMeans.Encrypted && !announcement.IsVerified)
        {
            _counters.CountUnverified();
        }

        _counters.CountAnnouncement();
        _known.Add(packet, source, [.. sightings], now);
        foreach (var sighting in sightings)
        {
            _sightings.Saw(sighting);
        }
    }

    private static bool IsAt(MultiserverAddress address, IPAddress sender) =>
        PeerHost.TryParseAddress(address.Host, out var host) && host.GetAddressBytes().AsSpan().SequenceEqual(sender.GetAddressBytes());

    private static IPAddress ToAddress(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        var address = new IPAddress(bytes);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
