using PiPub.Node.Blobs;
using PiPub.Node.Intake;
using PiPub.Node.Peers;
using PiPub.Node.Publishing;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Import;

/// <summary>The parts of the node that an import needs.</summary>
public sealed record ImportRoom
{
    /// <summary>The box's identity.</summary>
    public required FeedId Box { get; init; }

    /// <summary>The data directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>What is here.</summary>
    public required MessageStore Messages { get; init; }

    /// <summary>The door to it.</summary>
    public required MessageIntake Intake { get; init; }

    /// <summary>Tells whether the box blocks a feed.</summary>
    public required Func<FeedId, bool> IsBlocked { get; init; }

    /// <summary>The blobs that are here.</summary>
    public required BlobCollection Blobs { get; init; }

    /// <summary>Knows on whose account a blob is.</summary>
    public required BlobExchange BlobExchange { get; init; }

    /// <summary>Where peers are.</summary>
    public required AddressBook Addresses { get; init; }

    /// <summary>Says whether the box may write its feed.</summary>
    public required OwnFeedGuard OwnFeed { get; init; }

    /// <summary>Where that is remembered.</summary>
    public required OwnFeedTable OwnFeedTable { get; init; }

    /// <summary>Where the result is remembered.</summary>
    public required ImportTable Results { get; init; }

    /// <summary>Bytes that may still be written, beyond those that must stay free.</summary>
    public required Func<long> FreeBytes { get; init; }

    /// <summary>Restarts the box; throws an <see cref="InvalidOperationException"/> where it cannot be.</summary>
    public required Action Restart { get; init; }
}
