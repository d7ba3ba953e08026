using System.Collections.Concurrent;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Views;

namespace PiPub.Node.Profiles;

/// <summary>What a feed is called and what it looks like.</summary>
/// <param name="Name">A name for people; never empty.</param>
/// <param name="IsNamed">False when nobody has said a name and the name is the beginning of the id.</param>
/// <param name="Image">A picture; null when there is none.</param>
public sealed record Profile(string Name, bool IsNamed, BlobId? Image);

/// <summary>
/// Names and pictures out of about messages: what a feed says of itself, else what the box says of it, else what anybody does.
/// Source: ssb-about-self 1.1.0; ssb-names 3.1.1.
/// </summary>
public sealed class Profiles(MessageViews views, FeedId box, TimeProvider time)
{
    private const int MaxName = 60;
    private const int MaxKept = 512;
    private const int ShortId = 8;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<FeedId, (Profile Profile, long At)> _kept = new();

    /// <summary>A feed's profile, at most ten seconds old.</summary>
    public Profile Of(FeedId feed)
    {
        if (_kept.TryGetValue(feed, out var kept) && time.GetElapsedTime(kept.At) < Fresh)
        {
            return kept.Profile;
        }

        var profile = Read(feed);
        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        _kept[feed] = (profile, time.GetTimestamp());
        return profile;
    }

    private Profile Read(FeedId feed)
    {
        (string Name, int Rank)? name = null;
        (BlobId Image, int Rank)? image = null;
        foreach (var claim in views.Abouts(new LinkTarget(feed)))
        {
            var rank = claim.Author == feed ? 0 : claim.Author == box ? 1 : 2;
            if (claim.Field == "name" && (name is null || rank < name.Value.Rank) && NameIn(claim.Json) is { } said)
            {
                name = (said, rank);
            }
            else if (claim.Field == "image" && (image is null || rank < image.Value.Rank) && ImageIn(claim.Json) is { } shown)
            {
                image = (shown, rank);
            }
        }

        return new Profile(name?.Name ?? feed.ToString()[1..(1 + ShortId)], name is not null, image?.Image);
    }

    private static string? NameIn(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        // Other people's text among the box's own words: no line breaks, nothing that turns the writing round.
        var clean = new string([.. document.RootElement.GetString()!.Where(static c => !char.IsControl(c) && c is not (>= '\u202A' and <= '\u202E') and not (>= '\u2066' and <= '\u2069'))]).Trim();
        return clean.Length == 0 ? null : clean.Length > MaxName ? clean[..MaxName].TrimEnd() + "…" : clean;
    }

    private static BlobId? ImageIn(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var image = document.RootElement;
        if (image.ValueKind == JsonValueKind.Object && image.TryGetProperty("link"u8, out var link))
        {
            image = link;
        }

        return image.ValueKind == JsonValueKind.String && BlobId.TryParse(image.GetString(), out var blob) ? blob : null;
    }
}
