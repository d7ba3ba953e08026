namespace PiPub.Appliance.Button;

/// <summary>A button that is pressed and let go. Whoever reads it otherwise puts another one in its place.</summary>
public interface IButton : IDisposable
{
    /// <summary>Raised, on a thread of its own, with true when it is pressed and with false when it is let go.</summary>
    event Action<bool>? Changed;
}
