namespace PiPub.Appliance.Lights;

/// <summary>A light that is lit or dark. Whoever drives it otherwise puts another one in its place.</summary>
public interface IStatusLight : IDisposable
{
    /// <summary>Lights it, or not.</summary>
    /// <exception cref="IOException">It does not answer.</exception>
    void Set(bool isLit);
}
