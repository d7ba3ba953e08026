namespace PiPub.Appliance.Display;

/// <summary>A small display of text. Whoever drives another one puts it in its place.</summary>
public interface IPanel : IDisposable
{
    /// <summary>Letters in a line.</summary>
    int Columns { get; }

    /// <summary>Lines.</summary>
    int Rows { get; }

    /// <summary>Shows lines from the top; the rest is dark.</summary>
    /// <exception cref="IOException">It does not answer.</exception>
    void Show(IReadOnlyList<string> lines);
}
