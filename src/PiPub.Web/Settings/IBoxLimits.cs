using PiPub.Node.Sentences;

namespace PiPub.Web.Settings;

/// <summary>How much the box may take: of its disk, and of its connections.</summary>
/// <param name="Blobs">Bytes of pictures and files kept in all.</param>
/// <param name="BlobsPerAuthor">Bytes of them kept on account of one author.</param>
/// <param name="MinFree">Bytes of the disk that are left free.</param>
/// <param name="Connections">Peers connected at one time.</param>
public sealed record BoxLimits(long Blobs, long BlobsPerAuthor, long MinFree, int Connections)
{
    /// <summary>The fewest peers that may be chosen.</summary>
    public const int FewestConnections = 5;

    /// <summary>The most peers that may be chosen.</summary>
    public const int MostConnections = 500;
}

/// <summary>Reads and changes how much the box may take.</summary>
public interface IBoxLimits
{
    /// <summary>The limits in force.</summary>
    BoxLimits Current { get; }

    /// <summary>Bytes of the disk in all, and free ones.</summary>
    (long Total, long Free) Disk { get; }

    /// <summary>Bytes of pictures and files kept now.</summary>
    long BlobBytes { get; }

    /// <summary>Sets other limits, from now on and after a restart. What is beyond them goes, which may take a while and is not waited for.</summary>
    /// <exception cref="RefusedException">They cannot be kept; the message says why.</exception>
    void Set(BoxLimits limits);
}
