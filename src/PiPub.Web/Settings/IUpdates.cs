namespace PiPub.Web.Settings;

/// <summary>What goes on with updates.</summary>
public enum UpdateActivity
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>New versions are looked for.</summary>
    Looking,

    /// <summary>One is fetched.</summary>
    Fetching,

    /// <summary>One is installed.</summary>
    Installing,

    /// <summary>One is in place and waits for the machine's next start.</summary>
    WaitsForRestart,
}

/// <summary>Why an update is not installed.</summary>
public enum UpdateProblem
{
    /// <summary>Something else; there are words.</summary>
    Other,

    /// <summary>It is not newer.</summary>
    NotNewer,

    /// <summary>Somebody else signed it.</summary>
    WrongKey,

    /// <summary>It is for another machine.</summary>
    WrongBoard,

    /// <summary>A part is missing.</summary>
    Truncated,

    /// <summary>It is not what was signed.</summary>
    Tampered,

    /// <summary>There is no room.</summary>
    NoRoom,

    /// <summary>It cannot be fetched.</summary>
    NotFetched,
}

/// <summary>Why an update was not installed.</summary>
/// <param name="Problem">Why.</param>
/// <param name="Words">More about it, in English.</param>
public sealed record UpdateRefused(UpdateProblem Problem, string Words);

/// <summary>An update that was found.</summary>
/// <param name="Version">Its version; the file's name where that is not known.</param>
/// <param name="Notes">What is new; may be empty.</param>
/// <param name="IsOnStick">Whether it is on a USB stick.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Refused">Why it cannot be installed; null when it can.</param>
public sealed record OfferedUpdate(string Version, string Notes, bool IsOnStick, long Size, UpdateRefused? Refused);

/// <summary>How it stands with updates.</summary>
/// <param name="Activity">What goes on.</param>
/// <param name="Version">With which version.</param>
/// <param name="Percent">How far.</param>
/// <param name="Refused">Why the last attempt came to nothing; null when none has.</param>
/// <param name="Offers">What was found.</param>
/// <param name="LastLook">When new versions were asked for last.</param>
/// <param name="RestartAt">When the machine restarts by itself into the new version; null when it does not.</param>
/// <param name="Result">What became of the last update; null when there was none.</param>
public sealed record UpdateStanding(
    UpdateActivity Activity, string Version, int Percent, UpdateRefused? Refused, IReadOnlyList<OfferedUpdate> Offers, DateTimeOffset? LastLook, DateTimeOffset? RestartAt, UpdateResult? Result);

/// <summary>One of the two places that the image keeps versions in.</summary>
/// <param name="Name">A or B.</param>
/// <param name="IsRunning">Whether the box runs from it.</param>
/// <param name="IsGood">Whether the box was well with what is in it.</param>
/// <param name="Version">The version in it; null when no update was ever written there.</param>
public sealed record UpdateSlot(string Name, bool IsRunning, bool IsGood, string? Version);

/// <summary>What became of an update.</summary>
/// <param name="Version">The new version.</param>
/// <param name="From">The one before.</param>
/// <param name="IsKept">Whether it runs; else the machine went back.</param>
/// <param name="Words">Why it went back, in English; may be empty.</param>
/// <param name="At">When it was written.</param>
/// <param name="IsSeen">Whether the owner has seen what became of it.</param>
public sealed record UpdateResult(string Version, string From, bool IsKept, string Words, DateTimeOffset At, bool IsSeen);

/// <summary>What the owner chooses about updates.</summary>
/// <param name="Address">Where new versions are told of; empty for nowhere.</param>
/// <param name="Days">After how many days it is asked again.</param>
/// <param name="IsAutomatic">Whether they are installed without asking.</param>
public sealed record UpdateWishes(string Address, int Days, bool IsAutomatic);

/// <summary>How the program on this box is kept up to date.</summary>
public interface IUpdates
{
    /// <summary>Raised, on whatever thread, when it stands differently.</summary>
    event Action? Changed;

    /// <summary>The version of the program that runs.</summary>
    string Version { get; }

    /// <summary>The version of the image that it runs from; null where whoever installed the program updates it.</summary>
    string? ImageVersion { get; }

    /// <summary>Whether the box runs from an image that updates itself.</summary>
    bool IsFromImage => ImageVersion is not null;

    /// <summary>How it stands.</summary>
    UpdateStanding Standing { get; }

    /// <summary>What the owner chose.</summary>
    UpdateWishes Wishes { get; }

    /// <summary>The two places for versions, the one that runs first; none where they cannot be told.</summary>
    Task<IReadOnlyList<UpdateSlot>> SlotsAsync();

    /// <summary>Takes what the owner chooses.</summary>
    /// <exception cref="InvalidOperationException">It cannot be kept; the message says why.</exception>
    void Set(UpdateWishes wishes);

    /// <summary>Looks for new versions, at the address and on sticks.</summary>
    Task LookAsync();

    /// <summary>Installs one that was found, and restarts the machine into it. Returns at once.</summary>
    void Install(OfferedUpdate offer);

    /// <summary>Restarts the machine into what is in place.</summary>
    void RestartMachine();

    /// <summary>The owner has seen what became of the last update.</summary>
    void Acknowledge();
}

/// <summary>A program that somebody installed, and updates.</summary>
public sealed record InstalledProgram(string Version) : IUpdates
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public string? ImageVersion => null;

    /// <inheritdoc/>
    public UpdateStanding Standing { get; } = new(UpdateActivity.None, "", 0, null, [], null, null, null);

    /// <inheritdoc/>
    public UpdateWishes Wishes { get; } = new("", 1, false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UpdateSlot>> SlotsAsync() => Task.FromResult<IReadOnlyList<UpdateSlot>>([]);

    /// <inheritdoc/>
    public void Set(UpdateWishes wishes) => throw Elsewhere();

    /// <inheritdoc/>
    public Task LookAsync() => throw Elsewhere();

    /// <inheritdoc/>
    public void Install(OfferedUpdate offer) => throw Elsewhere();

    /// <inheritdoc/>
    public void RestartMachine() => throw Elsewhere();

    /// <inheritdoc/>
    public void Acknowledge() => throw Elsewhere();

    private static InvalidOperationException Elsewhere() => new("This box does not run from an image: whoever installed it updates it.");
}
