namespace PiPub.Scuttlebutt.Replication;

/// <summary>
/// What a peer says about one feed during epidemic broadcast tree (EBT) replication: whether it replicates the feed with
/// us at all, up to which sequence it has it, and whether it wants to be sent what follows.
/// </summary>
/// <remarks>
/// One integer on the wire: -1 for "not with me", else the sequence shifted left by one, with the lowest bit set when
/// nothing is to be sent (announcements only). Sequences reach 2^30 - 1, as JavaScript shifts 32-bit integers.
/// Source: epidemic-broadcast-trees 9.0.4, v3.js.
/// </remarks>
/// <param name="Value">The integer as it stands in the notes; every negative one means -1.</param>
public readonly record struct EbtNote(int Value)
{
    /// <summary>The largest sequence that a note can say.</summary>
    public const int MaxSequence = (1 << 30) - 1;

    /// <summary>The note of a feed that is not replicated with this peer.</summary>
    public static EbtNote NotReplicated => new(-1);

    /// <summary>False when the peer does not replicate the feed with us.</summary>
    public bool Replicate => Value >= 0;

    /// <summary>True when the peer wants to be sent what follows <see cref="Sequence"/>, now and from then on.</summary>
    public bool Receive => Value >= 0 && (Value & 1) == 0;

    /// <summary>The newest sequence that the peer has; 0 for none, -1 when it does not replicate the feed.</summary>
    public int Sequence => Value < 0 ? -1 : Value >> 1;

    /// <summary>The note of a feed that is replicated.</summary>
    /// <param name="sequence">The newest sequence held; clamped to <see cref="MaxSequence"/>.</param>
    /// <param name="receive">True to be sent what follows.</param>
    public static EbtNote Of(int sequence, bool receive) =>
        new((Math.Clamp(sequence, 0, MaxSequence) << 1) | (receive ? 0 : 1));
}
