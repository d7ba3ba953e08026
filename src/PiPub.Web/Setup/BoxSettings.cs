using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Web.Setup;

/// <summary>What the owner decides about the box, as far as the pages change it.</summary>
public interface IBoxSettings
{
    /// <summary>The box's own identity.</summary>
    FeedId Id { get; }

    /// <summary>How far along follows feeds are kept: 1 members, 2 the people they follow, 3 those that these follow.</summary>
    int Hops { get; }

    /// <summary>Gives the box its name, publicly.</summary>
    /// <exception cref="RefusedException">It cannot be published now; the message says why.</exception>
    Task SetNameAsync(string name, CancellationToken cancellationToken);

    /// <summary>Sets how far feeds are kept, from now on and after a restart.</summary>
    /// <exception cref="RefusedException">It cannot be kept; the message says why.</exception>
    void SetHops(int hops);
}
