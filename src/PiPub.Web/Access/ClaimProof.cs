using System.Net;

namespace PiPub.Web.Access;

/// <summary>How whoever claims a new box shows that it is theirs: by its code, or by a press of its button a moment ago.</summary>
/// <param name="code">The code.</param>
/// <param name="isAtHome">Whether an address is in one of the box's own subnets. The button opens the box to these alone.</param>
/// <param name="time">The clock.</param>
public sealed class ClaimProof(ClaimCode code, Func<IPAddress, bool> isAtHome, TimeProvider time)
{
    private readonly HomeDoor _door = new(isAtHome, time);

    /// <summary>The code.</summary>
    public ClaimCode Code => code;

    /// <summary>Why the claim file is not the code, although there is one; null when that is not so.</summary>
    public string? FileProblem { get; init; }

    /// <summary>Whether something else that was written on the card is wrong. What it is, the owner's pages tell.</summary>
    public bool HasCardProblems { get; init; }

    /// <summary>The button was pressed: for two minutes, whoever is at home needs no code.</summary>
    public void Press() => _door.Press();

    /// <summary>Whether somebody who comes from <paramref name="address"/> needs no code now.</summary>
    public bool IsOpenFor(IPAddress address) => _door.IsOpenFor(address);

    /// <summary>Whether this shows that the box is theirs.</summary>
    public bool Accepts(string? given, IPAddress address) => IsOpenFor(address) || code.Matches(given);
}
