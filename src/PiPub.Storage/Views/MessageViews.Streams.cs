using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <content>What the owner's message streams ask.</content>
public sealed partial class MessageViews
{
    /// <inheritdoc/>
    public long PositionOf(MessageId id) => ById(id)?.Position ?? -1;

    /// <inheritdoc/>
    public IEnumerable<long> ByArrival(ViewRange received, bool reverse, long until)
    {
        // Times are whole milliseconds here: one more on either side, and the range decides.
        foreach (var entry in Entries(_tables.Arrivals, From(received.Low), Beyond(received.High), reverse))
        {
            if (entry.Position < until && received.Covers(entry.Key))
            {
                yield return entry.Position;
            }
        }

        static IndexEntry From(double time) => new((long)Math.Clamp(Math.Floor(time), 0, 1L << 60), 0);

        static IndexEntry Beyond(double time) => new((long)Math.Clamp(Math.Ceiling(time), 0, 1L << 60) + 1, 0);
    }

    /// <inheritdoc/>
    public IEnumerable<(long Position, double Resolved)> ByResolvedTime(ViewRange resolved, bool reverse, long until)
    {
        var (low, high) = (new IndexEntry(ViewTables.TimeKey(resolved.Low), 0), new IndexEntry(ViewTables.TimeKey(resolved.High) + 1, 0));
        foreach (var entry in Entries(_tables.Times, low, high, reverse))
        {
            if (entry.Position < until && ViewTables.ResolvedTime(_log.Read(entry.Position)) is var time && resolved.Covers(time))
            {
                yield return (entry.Position, time);
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<long> ByType(string type, ViewRange received, bool reverse, long until)
    {
        ArgumentNullException.ThrowIfNull(type);
        var key = ViewTables.TypeKey(type);
        var content = new MessageContent();
        foreach (var entry in Entries(_tables.Types, new IndexEntry(key, 0), new IndexEntry(key, until), reverse))
        {
            var record = _log.Read(entry.Position);
            if (received.Covers(record.ReceivedAt) && content.Read(record.Message.Value).IndexedType == type)
            {
                yield return entry.Position;
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<MessageLink> Links(string? source, string? rel, string? dest, bool reverse, long until)
    {
        FeedId? author = source?.Length > 1 && FeedId.TryParse(source, out var feed) ? feed : null;
        LinkTarget? target = dest?.Length > 1 && LinkTarget.TryParse(dest, out var linked) ? linked : null;
        if ((source?.Length > 1 && author is null) || (dest?.Length > 1 && target is null) || source is "%" or "&")
        {
            return []; // an id that no author or link can have
        }

        var links = Links(target, rel, author, nested: false, reverse).Where(link => link.Record.Position < until)
            .Select(static link => new MessageLink(link.Record.Message.Author, link.Link.Rel, link.Link.Text, link.Record.Position))
            .Where(link => dest is null || (dest.Length == 1 ? link.Dest[0] == dest[0] : link.Dest == dest));
        if (author is null && target is null)
        {
            return links;
        }

        var sorted = links.ToList();
        sorted.Sort(static (a, b) => string.CompareOrdinal(a.Rel, b.Rel) is var byRel and not 0 ? byRel
            : string.CompareOrdinal(a.Dest, b.Dest) is var byDest and not 0 ? byDest
            : a.Source.CompareTo(b.Source) is var bySource and not 0 ? bySource
            : a.Position.CompareTo(b.Position));
        if (reverse)
        {
            sorted.Reverse();
        }

        return sorted;
    }
}
