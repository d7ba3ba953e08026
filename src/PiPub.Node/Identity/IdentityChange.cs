using System.Globalization;
using System.Text;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Disk;
using PiPub.Storage.State;
using PiPub.Storage.Views;

namespace PiPub.Node.Identity;

/// <summary>
/// Gives the box another key pair, that of a pub which it replaces. The box that runs keeps the one it has; the other is taken
/// over at the next start, before anything is opened.
/// </summary>
/// <remarks>
/// Nobody but this box may write the feed from then on, and it has to have all of it: what peers hold and it does not, it would
/// contradict. So the next start finds the feed as <see cref="Prepare"/> noted it, and <see cref="Publishing.OwnFeedGuard"/> judges.
/// The former secret stays beside as <c>secret.replaced-1</c>, <c>-2</c> and so on.
/// </remarks>
public static class IdentityChange
{
    private const string NextName = "secret.next";

    // A feed with more messages than these has said something.
    private const int MaxLookedAt = 16;

    /// <summary>
    /// Whether a box has published anything that would be lost to its peers with its identity: more than its own name and picture.
    /// </summary>
    public static bool HasPublished(MessageStore messages, FeedId box)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var tip = messages.SequenceOf(box);
        var content = new MessageContent();
        for (var sequence = 1; sequence <= tip; sequence++)
        {
            if (sequence > MaxLookedAt
                || content.Read(messages.Log.ReadValue(messages.PositionOf(box, sequence))) is not { Type: "about", About: var about }
                || about?.ToString() != box.ToString())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Has the next start take over another key pair.</summary>
    /// <param name="dataDirectory">The box's.</param>
    /// <param name="ownFeed">Where it is noted how far the feed had got.</param>
    /// <param name="next">The key pair.</param>
    /// <param name="held">How many messages of its feed are here.</param>
    /// <param name="isComplete">Whether the owner says that these are all there are. Else peers must tell, before anything is published.</param>
    /// <exception cref="IOException">The disk is full or failing; nothing is changed.</exception>
    public static void Prepare(string dataDirectory, OwnFeedTable ownFeed, KeyPair next, int held, bool isComplete)
    {
        ArgumentNullException.ThrowIfNull(ownFeed);
        ArgumentNullException.ThrowIfNull(next);
        ownFeed.Write(next.Id, isFree: isComplete && held > 0, held);
        SecretFile.WriteTo(Path.Combine(dataDirectory, NextName), next, replace: true);
    }

    /// <summary>Whether another key pair is to be taken over.</summary>
    public static bool IsPrepared(string dataDirectory) => File.Exists(Path.Combine(dataDirectory, NextName));

    /// <summary>
    /// Takes it over. What belongs to the former identity goes: who owned it, what peers were told by it, how far blobs were
    /// looked for. Interrupted anywhere, it is done again at the next start.
    /// </summary>
    /// <returns>The file that now holds the former key pair; null when there was none.</returns>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    /// <exception cref="InvalidDataException">One of the two is no key pair.</exception>
    public static string? TakeOver(string dataDirectory, StateDatabase state)
    {
        var next = SecretFile.ReadFrom(Path.Combine(dataDirectory, NextName));
        new OwnerTable(state).Clear();
        new BlobTable(state).Cursor = 0;
        var clocks = Path.Combine(dataDirectory, "clocks");
        if (Directory.Exists(clocks))
        {
            Directory.Delete(clocks, recursive: true);
        }

        var backup = SecretFile.Exists(dataDirectory) ? KeepFormer(dataDirectory, next) : null;
        File.Move(Path.Combine(dataDirectory, NextName), Path.Combine(dataDirectory, SecretFile.Name), overwrite: true);
        FileSync.Directory(Path.GetFullPath(dataDirectory));
        return backup;
    }

    private static string? KeepFormer(string dataDirectory, KeyPair next)
    {
        var former = SecretFile.ReadFrom(Path.Combine(dataDirectory, SecretFile.Name));
        for (var number = 1; former.Id != next.Id; number++)
        {
            var path = Path.Combine(dataDirectory, $"{SecretFile.Name}.replaced-{number.ToString(CultureInfo.InvariantCulture)}");
            if (!File.Exists(path))
            {
                SecretFile.WriteTo(path, former, replace: false);
                return path;
            }

            if (File.ReadAllText(path, Encoding.UTF8) == SecretText.Format(former))
            {
                return path;
            }
        }

        return null;
    }
}
