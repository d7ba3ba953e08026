using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Node.Replication;

/// <summary>
/// What peers told of their feeds, kept between sessions: one small file a peer in <c>clocks/</c>. A cache that may be
/// deleted at any time; a file that cannot be read or written costs one full exchange of notes.
/// </summary>
/// <remarks>Files are replaced whole, without a flush, and only when something changed: an SD card is spared.</remarks>
public sealed partial class PeerMemories
{
    private const int MaxFileBytes = 4 * 1024 * 1024;

    private readonly string _directory;
    private readonly int _maxPeers;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private int _new;

    /// <summary>Keeps the files in <c>clocks/</c> under the data directory.</summary>
    public PeerMemories(string dataDirectory, int maxPeers, ILogger logger)
    {
        _directory = Path.Combine(dataDirectory, "clocks");
        _maxPeers = maxPeers;
        _logger = logger;
        Directory.CreateDirectory(_directory);
        ForgetOldest();
    }

    /// <summary>What is remembered of a peer; nothing when it is new.</summary>
    public EbtMemory Load(FeedId peer)
    {
        try
        {
            var file = new FileInfo(PathOf(peer));
            return file.Exists && file.Length <= MaxFileBytes ? EbtMemory.Decode(File.ReadAllBytes(file.FullName)) : new EbtMemory();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(e, peer);
            return new EbtMemory();
        }
    }

    /// <summary>Remembers a peer.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="memory">What it told.</param>
    /// <param name="lastSaved">What the former call for the same session returned, or null.</param>
    /// <returns>A fingerprint of what is now on the disk.</returns>
    public byte[]? Save(FeedId peer, EbtMemory memory, byte[]? lastSaved)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (memory.Count == 0)
        {
            return lastSaved;
        }

        var bytes = memory.Encode();
        var fingerprint = SHA256.HashData(bytes);
        if (lastSaved is not null && fingerprint.AsSpan().SequenceEqual(lastSaved))
        {
            return lastSaved;
        }

        try
        {
            lock (_gate)
            {
                var path = PathOf(peer);
                if (!File.Exists(path) && ++_new % 100 == 0)
                {
                    ForgetOldest();
                }

                File.WriteAllBytes(path + ".new", bytes);
                File.Move(path + ".new", path, overwrite: true);
            }

            return fingerprint;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnwritable(e, peer);
            return lastSaved;
        }
    }

    private string PathOf(FeedId peer) => Path.Combine(_directory, Convert.ToHexStringLower(peer.AsSpan()));

    private void ForgetOldest()
    {
        try
        {
            var files = new DirectoryInfo(_directory).GetFiles();
            if (files.Length > _maxPeers)
            {
                Array.Sort(files, (one, other) => one.LastWriteTimeUtc.CompareTo(other.LastWriteTimeUtc));
                foreach (var file in files.AsSpan(0, files.Length - _maxPeers))
                {
                    file.Delete();
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotForgotten(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What {Peer} told of its feeds could not be read; it will be asked again.")]
    private partial void LogUnreadable(Exception e, FeedId peer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What {Peer} told of its feeds could not be written down; it will be asked again next time.")]
    private partial void LogUnwritable(Exception e, FeedId peer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The clocks of peers not seen for long could not be removed.")]
    private partial void LogNotForgotten(Exception e);
}
