using System.Globalization;
using PiPub.Configuration;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>The limits of the box as its owner changes them on the pages.</summary>
internal sealed class BoxLimitSettings(PiPubOptions options, BoxStorage storage, BoxNode node) : IBoxLimits
{
    public BoxLimits Current => new(options.BlobQuota, options.BlobQuotaPerAuthor, options.MinFreeSpace, options.MaxConnections);

    public (long Total, long Free) Disk => (storage.Directory.TotalBytes, storage.Directory.FreeBytes);

    public long BlobBytes => storage.Blobs.TotalBytes;

    public void Set(BoxLimits limits)
    {
        var before = Current;
        var changes = new List<(string Key, string Value)>();
        Note("blob-quota", before.Blobs, limits.Blobs);
        Note("blob-quota-per-author", before.BlobsPerAuthor, limits.BlobsPerAuthor);
        Note("min-free-space", before.MinFree, limits.MinFree);
        Note("max-connections", before.Connections, limits.Connections);
        if (changes.Count == 0)
        {
            return;
        }

        WrittenConfiguration.Write(options, [.. changes]);
        (options.BlobQuota, options.BlobQuotaPerAuthor) = (limits.Blobs, limits.BlobsPerAuthor);
        (options.MinFreeSpace, options.MaxConnections) = (limits.MinFree, limits.Connections);
        node.PeerOptions.MaxConnections = limits.Connections;
        // Thousands of files may have to go.
        _ = Task.Run(() => node.Blobs.Reconfigure(limits.Blobs, limits.BlobsPerAuthor));

        void Note(string key, long old, long now)
        {
            if (now != old)
            {
                changes.Add((key, Text(key, now)));
            }
        }
    }

    /// <summary>As a person would write it, where that is exact.</summary>
    private static string Text(string key, long value) => key != "max-connections" && value % 1_000_000 == 0
        ? (value / 1e9m).ToString("0.###", CultureInfo.InvariantCulture) + "GB"
        : value.ToString(CultureInfo.InvariantCulture);
}
