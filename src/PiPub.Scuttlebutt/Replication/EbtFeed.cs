using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>A feed that is, or was, wanted: what all sessions share about it.</summary>
internal sealed class EbtFeed(FeedId id, int number)
{
    public FeedId Id { get; } = id;

    /// <summary>Its index in every session's lanes.</summary>
    public int Number { get; } = number;

    public bool Wanted { get; set; }

    /// <summary>Nothing more is received (the feed is forked); what is held is still sent.</summary>
    public bool Stopped { get; set; }

    /// <summary>The newest sequence that is safely stored.</summary>
    public int Local { get; set; }

    /// <summary>The newest sequence that has arrived from the source, stored or not yet. Never below <see cref="Local"/>.</summary>
    public int Seen { get; set; }

    /// <summary>The one session that has been asked to send it.</summary>
    public EbtSession? Source { get; set; }

    /// <summary>When it last came forward, or its source was last asked; in milliseconds of the tree's clock.</summary>
    public long Progress { get; set; }

    /// <summary>Waits for a second look at who should be its source.</summary>
    public bool LookQueued { get; set; }
}
