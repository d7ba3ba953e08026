using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>What one feed's last contact message about another says. Source: ssb-friends 5.1.7 contacts.js.</summary>
public enum ContactState
{
    /// <summary>Neither follows nor blocks, or no longer.</summary>
    Neutral,

    /// <summary><c>following</c> is true, and nothing blocks.</summary>
    Follow,

    /// <summary><c>blocking</c>, or its forerunner <c>flagged</c>, is true.</summary>
    Block,
}

/// <summary>An edge of the social graph.</summary>
public readonly record struct ContactEdge(FeedId Author, FeedId Contact, ContactState State);
