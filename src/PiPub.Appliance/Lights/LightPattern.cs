namespace PiPub.Appliance.Lights;

/// <summary>What a light says.</summary>
public enum LightState
{
    /// <summary>The box starts.</summary>
    Starting,

    /// <summary>Nobody has claimed it yet.</summary>
    NeedsSetUp,

    /// <summary>All is well.</summary>
    Running,

    /// <summary>Messages are being fetched.</summary>
    Syncing,

    /// <summary>Something is wrong that its owner should see to.</summary>
    NeedsAttention,

    /// <summary>A new version is being installed.</summary>
    Updating,

    /// <summary>It does not work.</summary>
    Failed,

    /// <summary>The button is held: let go now to make the box claimable.</summary>
    Held,

    /// <summary>The button is held for three seconds: let go now to restart.</summary>
    HeldForRestart,

    /// <summary>The button is held for ten seconds: let go now to erase everything.</summary>
    HeldForReset,
}

/// <summary>
/// How a light says it: by its rhythm alone, so that it needs no colour and nobody has to tell colours apart. The table in README.md
/// says the same for people.
/// </summary>
public static class LightPattern
{
    /// <summary>The lengths of lit and dark in turn, lit first, over and over. A single one is steady.</summary>
    public static IReadOnlyList<TimeSpan> Of(LightState state) => state switch
    {
        LightState.Starting => Times(250, 250),
        LightState.NeedsSetUp => Times(150, 250, 150, 1450),
        LightState.Running => Times(1000),
        LightState.Syncing => Times(1800, 200),
        LightState.NeedsAttention => Times(150, 250, 150, 250, 150, 1050),
        LightState.Updating => Times(1000, 1000),
        LightState.Failed => Times(100, 100),
        LightState.Held => Times(50, 950),
        LightState.HeldForRestart => Times(125, 125),
        _ => Times(50, 50),
    };

    private static TimeSpan[] Times(params int[] milliseconds) => [.. milliseconds.Select(static one => TimeSpan.FromMilliseconds(one))];
}
