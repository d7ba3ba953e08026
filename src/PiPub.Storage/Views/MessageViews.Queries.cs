using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>A message that links to something.</summary>
/// <param name="Record">The message.</param>
/// <param name="Link">The link in its content.</param>
public readonly record struct LinkRecord(LogRecord Record, ContentLink Link);

/// <summary>What one feed says about something.</summary>
/// <param name="Author">Who says it. Only what a feed says about itself is authoritative.</param>
/// <param name="Field"><c>name</c>, <c>image</c>, <c>description</c> or <c>publicWebHosting</c>.</param>
/// <param name="Json">The field's value as JSON.</param>
public readonly record struct AboutClaim(FeedId Author, string Field, ReadOnlyMemory<byte> Json);

/// <content>
/// The questions that the views answer. Results come lazily, a page at a time, and none twice; what is appended meanwhile may
/// or may not be among them. An index holds a few bytes of each id, so every message is checked against the question when read.
/// </content>
public sealed partial class MessageViews
{
    private const int FirstPage = 32;
    private const int LaterPages = 256;
    private const int WholeIndexPages = 8192;

    /// <summary>The message with an id, or null.</summary>
    public LogRecord? ById(MessageId id)
    {
        var key = ViewTables.PrefixKey(id.Bytes);
        foreach (var entry in Entries(_tables.Ids, new IndexEntry(key, 0), new IndexEntry(key + 1, 0), reverse: true))
        {
            var record = _log.Read(entry.Position);
            if (record.Message.Id == id)
            {
                return record;
            }
        }

        return null;
    }

    /// <summary>A feed's messages by sequence.</summary>
    public IEnumerable<LogRecord> ByFeed(FeedId feed, bool reverse = false, int fromSequence = 1, int toSequence = int.MaxValue)
    {
        var number = 0;
        if (!Guarded(() => _tables.Feeds.TryGet(feed, out number)))
        {
            yield break;
        }

        var low = new IndexEntry(ViewTables.SequenceKey(number, Math.Max(1, fromSequence)), 0);
        var high = new IndexEntry(ViewTables.SequenceKey(number, toSequence) + 1, 0);
        foreach (var entry in Entries(_tables.Sequences, low, high, reverse))
        {
            var record = _log.Read(entry.Position);
            if (record.Message.Author == feed)
            {
                yield return record;
            }
        }
    }

    /// <summary>
    /// Messages with links that fit all that is given: quickest with a target, then with a source; with neither, every
    /// link is looked at. In the order of the log.
    /// </summary>
    /// <param name="target">What is linked to.</param>
    /// <param name="rel">The key of the content that the link stands under.</param>
    /// <param name="source">The author of the linking message.</param>
    /// <param name="nested">Also links that ssb-server's <c>links</c> would not show: deeper in the content, or within text.</param>
    /// <param name="reverse">Newest first.</param>
    public IEnumerable<LinkRecord> Links(LinkTarget? target = null, string? rel = null, FeedId? source = null, bool nested = false, bool reverse = false)
    {
        var candidates = target is { } linked ? Positions(Entries(_tables.Links, KeyOf(linked), After(linked), reverse), rel, nested).Select(_log.Read)
            : source is { } author ? ByFeed(author, reverse)
            : LinkPositions(rel, nested, reverse).Select(_log.Read);
        var content = new MessageContent();
        foreach (var record in candidates)
        {
            if (source is not null && record.Message.Author != source)
            {
                continue;
            }

            var links = content.Read(record.Message.Value).Links; // read to the end before the next message is
            for (var i = 0; i < links.Count; i++)
            {
                var link = links[i];
                if ((target is null || link.Target == target) && (rel is null || link.Rel == rel) && (nested || !link.IsNested)
                    && !content.IsRepeated(i))
                {
                    yield return new LinkRecord(record, link);
                }
            }
        }
    }

    /// <summary>Every mention of a blob in messages from a position on, in the order of the log: what to want.</summary>
    public IEnumerable<LinkRecord> BlobMentions(long from = 0)
    {
        var content = new MessageContent();
        foreach (var entry in Entries(_tables.Types, new IndexEntry(ViewTables.MentionsBlob, from), new IndexEntry(ViewTables.MentionsBlob, long.MaxValue)))
        {
            var record = _log.Read(entry.Position);
            foreach (var link in content.Read(record.Message.Value).Links.Where(static link => link.Target.Sigil == '&').ToArray())
            {
                yield return new LinkRecord(record, link);
            }
        }
    }

    /// <summary>The first message known here that mentions a blob: its author is charged for it. Null when none does.</summary>
    public LogRecord? FirstMention(BlobId blob)
    {
        foreach (var mention in Links(new LinkTarget(blob), nested: true))
        {
            return mention.Record;
        }

        return null;
    }

    /// <summary>Every edge of the social graph, neutral ones included.</summary>
    public IReadOnlyList<ContactEdge> Contacts() => Guarded(ReadContacts);

    /// <summary>
    /// Reads every row that says something by itself. A question finds damage in the rows that answer it; in a row's own key it would
    /// only miss the row.
    /// </summary>
    /// <exception cref="IOException">There is damage; the views are being made again.</exception>
    public void CheckRows() => Guarded(() =>
    {
        foreach (var sql in ViewTables.Rows)
        {
            using var reader = _tables.Database.Statement(sql).ExecuteReader();
            while (reader.Read())
            {
                RowChecksum.Check(reader);
            }
        }

        return true;
    });

    /// <summary>What feeds say about a feed, message or blob: the last word of each author on each field.</summary>
    public IReadOnlyList<AboutClaim> Abouts(LinkTarget about) => Guarded(() =>
    {
        byte[] key = [(byte)about.Sigil, .. about.Bytes.AsSpan()];
        var claims = new List<AboutClaim>();
        using var reader = _tables.Database.Statement("SELECT about, author, field, json, checksum FROM abouts WHERE about = $0", key).ExecuteReader();
        while (reader.Read())
        {
            RowChecksum.Check(reader);
            claims.Add(new AboutClaim(_tables.Feeds[reader.GetInt32(1)], reader.GetString(2), reader.GetFieldValue<byte[]>(3)));
        }

        return claims;
    });

    /// <summary>Every pub address that messages announce.</summary>
    public IReadOnlyList<PubAddress> Pubs() => Guarded(() =>
    {
        var pubs = new List<PubAddress>();
        using var reader = _tables.Database.Statement("SELECT key, host, port, author, checksum FROM pubs").ExecuteReader();
        while (reader.Read())
        {
            RowChecksum.Check(reader);
            pubs.Add(new PubAddress(new FeedId(reader.GetFieldValue<byte[]>(0)), reader.GetString(1), reader.GetInt32(2), _tables.Feeds[reader.GetInt32(3)]));
        }

        return pubs;
    });

    private static IndexEntry KeyOf(LinkTarget target) => new(ViewTables.PrefixKey(target.Bytes), 0);

    private static IndexEntry After(LinkTarget target) => new(ViewTables.PrefixKey(target.Bytes) + 1, 0);

    /// <summary>The positions of entries whose tag fits, each once; entries come sorted by position.</summary>
    private static IEnumerable<long> Positions(IEnumerable<IndexEntry> entries, string? rel, bool nested)
    {
        long last = -1;
        foreach (var entry in entries)
        {
            if (entry.Position != last && TagFits(entry.Tag, rel, nested))
            {
                last = entry.Position;
                yield return last;
            }
        }
    }

    private static bool TagFits(int tag, string? rel, bool nested) =>
        (nested || (tag & 1) == 0) && (rel is null || tag >> 1 == ViewTables.LinkTag(rel, isNested: false) >> 1);

    /// <summary>Links of a rel to anything: the whole index is read, which is quick, and sorted, which costs 8 bytes for each that fits.</summary>
    private SortedSet<long> LinkPositions(string? rel, bool nested, bool reverse)
    {
        var positions = new SortedSet<long>(reverse ? Comparer<long>.Create(static (a, b) => b.CompareTo(a)) : null);
        foreach (var entry in Entries(_tables.Links, new IndexEntry(0, 0), new IndexEntry(long.MaxValue, 0), page: WholeIndexPages))
        {
            if (TagFits(entry.Tag, rel, nested))
            {
                positions.Add(entry.Position);
            }
        }

        return positions;
    }

    private IEnumerable<IndexEntry> Entries(RunIndex index, IndexEntry from, IndexEntry to, bool reverse = false, int page = FirstPage)
    {
        for (var size = page; ; size = Math.Max(page, LaterPages))
        {
            var found = Guarded(() => index.Page(from, to, reverse, size));
            foreach (var entry in found)
            {
                yield return entry;
            }

            if (found.Count < size)
            {
                yield break;
            }

            if (reverse)
            {
                to = found[^1];
            }
            else
            {
                from = found[^1].Next;
            }
        }
    }

    private List<ContactEdge> ReadContacts()
    {
        var edges = new List<ContactEdge>();
        using var reader = _tables.Database.Statement("SELECT author, contact, state, checksum FROM contacts").ExecuteReader();
        while (reader.Read())
        {
            RowChecksum.Check(reader);
            edges.Add(new ContactEdge(_tables.Feeds[reader.GetInt32(0)], _tables.Feeds[reader.GetInt32(1)], (ContactState)reader.GetInt32(2)));
        }

        return edges;
    }
}
