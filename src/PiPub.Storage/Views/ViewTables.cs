using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>
/// What <c>views.sqlite</c> holds, and what one message adds to it. All under the database's gate.
/// </summary>
internal sealed class ViewTables : IDisposable
{
    /// <summary>Where among the types the messages that mention a blob are found.</summary>
    public const long MentionsBlob = 1L << 48;

    /// <summary>Where among the types the encrypted messages are found.</summary>
    public const long Encrypted = MentionsBlob + 1;

    private readonly MessageContent _content = new();
    private readonly RunIndex[] _all;

    /// <summary>Every row that carries a checksum, each with its columns in the order in which they were summed.</summary>
    public static IReadOnlyList<string> Rows { get; } =
    [
        "SELECT about, author, field, json, checksum FROM abouts",
        "SELECT author, contact, state, checksum FROM contacts",
        "SELECT key, host, port, author, checksum FROM pubs",
    ];

    public ViewTables(string path)
    {
        string[] names = ["sequences", "ids", "types", "times", "arrivals", "links"];
        Database = new ViewDatabase(path, string.Join(";\n", [
            .. names.Select(RunIndex.Schema),
            RunIndex.RunsSchema,
            FeedNumbers.Schema,
            "CREATE TABLE contacts (author INTEGER NOT NULL, contact INTEGER NOT NULL, state INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (author, contact)) WITHOUT ROWID",
            "CREATE TABLE abouts (about BLOB NOT NULL, author INTEGER NOT NULL, field TEXT NOT NULL, json BLOB NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (about, author, field)) WITHOUT ROWID",
            "CREATE TABLE pubs (key BLOB NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, author INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (key, host, port)) WITHOUT ROWID",
            "CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), indexed_to INTEGER NOT NULL, messages INTEGER NOT NULL, last_position INTEGER NOT NULL, last_id BLOB NOT NULL, checksum INTEGER NOT NULL)",
        ]));
        _all = [.. names.Select(name => new RunIndex(Database, name))];
        Feeds = new FeedNumbers(Database);
        try
        {
            Load();
        }
        catch (Exception error) when (ViewDatabase.IsDamage(error))
        {
            Recreate();
        }
    }

    public ViewDatabase Database { get; }

    public FeedNumbers Feeds { get; }

    /// <summary>Key: feed number, sequence.</summary>
    public RunIndex Sequences => _all[0];

    /// <summary>Key: the first 6 bytes of the message id.</summary>
    public RunIndex Ids => _all[1];

    /// <summary>Key: a hash of the type.</summary>
    public RunIndex Types => _all[2];

    /// <summary>Key: the time that createFeedStream sorts by, in microseconds.</summary>
    public RunIndex Times => _all[3];

    /// <summary>Key: when it was received, in milliseconds.</summary>
    public RunIndex Arrivals => _all[4];

    /// <summary>Key: the first 6 bytes of the link's target; tag: a hash of the rel, and whether it is nested.</summary>
    public RunIndex Links => _all[5];

    /// <summary>The position after the last message indexed, written or pending.</summary>
    public long IndexedTo { get; private set; }

    /// <summary>The position after the last message that is written.</summary>
    public long WrittenTo { get; private set; }

    /// <summary>The number of messages indexed.</summary>
    public long Messages { get; private set; }

    /// <summary>The last message that is written; null when there is none.</summary>
    public (long Position, MessageId Id)? Last { get; private set; }

    public static long PrefixKey(in Bytes32 id)
    {
        var bytes = id.AsSpan();
        return ((long)bytes[0] << 40) | ((long)bytes[1] << 32) | ((long)bytes[2] << 24) | ((long)bytes[3] << 16) | ((long)bytes[4] << 8) | bytes[5];
    }

    public static long SequenceKey(int feed, int sequence) => ((long)feed << 32) | (uint)sequence;

    public static long TypeKey(string type) => (long)(Hash(type) & 0xffff_ffff_ffff);

    public static long TimeKey(double milliseconds) => (long)Math.Clamp(Math.Round(milliseconds * 1000), 0, 1L << 60);

    /// <summary>13 bits of the rel, 1 bit for nested: two bytes in a block.</summary>
    public static int LinkTag(string rel, bool isNested) => ((int)(Hash(rel) & 0x1fff) << 1) | (isNested ? 1 : 0);

    /// <summary>The time that createFeedStream sorts by: the author's, unless it is missing or lies after the reception. Source: ssb-db 20.4.1 indexes/feed.js.</summary>
    public static double ResolvedTime(LogRecord record) =>
        record.Message.Timestamp is var asserted && (asserted == 0 || double.IsNaN(asserted) || record.ReceivedAt < asserted) ? record.ReceivedAt : asserted;

    public void Load()
    {
        foreach (var index in _all)
        {
            index.Load();
        }

        if ((long)Database.Statement("SELECT count(*) FROM runs").ExecuteScalar()! != _all.Sum(static index => index.RunCount))
        {
            throw new ViewDamagedException();
        }

        Feeds.Load();
        (IndexedTo, Messages, Last) = (0, 0, null);
        using var reader = Database.Statement("SELECT indexed_to, messages, last_position, last_id, checksum FROM progress").ExecuteReader();
        if (reader.Read())
        {
            RowChecksum.Check(reader);
            IndexedTo = reader.GetInt64(0);
            Messages = reader.GetInt64(1);
            Last = (reader.GetInt64(2), new MessageId(reader.GetFieldValue<byte[]>(3)));
        }

        WrittenTo = IndexedTo;
    }

    public void Recreate()
    {
        Database.Recreate();
        Load();
    }

    /// <summary>Adds a message to every view, and what it says of its author's contacts to <paramref name="edges"/>.</summary>
    public void Add(LogRecord record, List<ContactEdge> edges)
    {
        var message = record.Message;
        var author = Feeds.GetOrAdd(message.Author);
        Sequences.Add(new IndexEntry(SequenceKey(author, message.Sequence), record.Position));
        Ids.Add(new IndexEntry(PrefixKey(message.Id.Bytes), record.Position));
        Times.Add(new IndexEntry(TimeKey(ResolvedTime(record)), record.Position));
        Arrivals.Add(new IndexEntry(record.ReceivedAt, record.Position));
        _content.Read(message.Value);
        if (_content.IsEncrypted)
        {
            Types.Add(new IndexEntry(Encrypted, record.Position));
        }
        else if (_content.Type is { } type)
        {
            Types.Add(new IndexEntry(TypeKey(_content.IndexedType!), record.Position));
            AddByType(type, author, message.Author, edges);
        }

        AddLinks(record.Position);
        IndexedTo = record.End;
        Messages++;
        Last = (record.Position, message.Id);
    }

    /// <summary>Writes what is pending and commits.</summary>
    public void Flush()
    {
        if (WrittenTo == IndexedTo || Last is not { } last)
        {
            return;
        }

        foreach (var index in _all)
        {
            index.Flush();
        }

        var id = last.Id.Bytes.ToArray();
        Database.Execute(
            "INSERT OR REPLACE INTO progress VALUES (1, $0, $1, $2, $3, $4)", IndexedTo, Messages, last.Position, id, RowChecksum.Of(IndexedTo, Messages, last.Position, id));
        Database.Commit();
        WrittenTo = IndexedTo;
    }

    public void Dispose() => Database.Dispose();

    /// <summary>FNV-1a: the same in every process, which string.GetHashCode is not.</summary>
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash ^ (hash >> 32);
    }

    private void AddLinks(long position)
    {
        var mentionsBlob = false;
        for (var i = 0; i < _content.Links.Count; i++)
        {
            var link = _content.Links[i];
            mentionsBlob |= link.Target.Sigil == '&';
            if (!_content.IsRepeated(i))
            {
                Links.Add(new IndexEntry(PrefixKey(link.Target.Bytes), position, LinkTag(link.Rel, link.IsNested)));
            }
        }

        if (mentionsBlob)
        {
            Types.Add(new IndexEntry(MentionsBlob, position));
        }
    }

    private void AddByType(string type, int author, FeedId feed, List<ContactEdge> edges)
    {
        switch (type)
        {
            case "contact" when _content.Contact is { } contact:
                var (number, state) = (Feeds.GetOrAdd(contact), (int)_content.ContactState);
                Database.Execute("INSERT OR REPLACE INTO contacts VALUES ($0, $1, $2, $3)", author, number, state, RowChecksum.Of(author, number, state));
                edges.Add(new ContactEdge(feed, contact, _content.ContactState));
                break;
            case "about" when _content.About is { } about:
                byte[] key = [(byte)about.Sigil, .. about.Bytes.AsSpan()];
                AddAbout(key, author, "name", _content.Name);
                AddAbout(key, author, "image", _content.Image);
                AddAbout(key, author, "description", _content.Description);
                AddAbout(key, author, "publicWebHosting", _content.PublicWebHosting);
                break;
            case "pub" when !_content.Address.IsEmpty && PubAddress.Read(_content.Address, feed) is { } pub:
                var pubKey = pub.Key.Bytes.ToArray();
                Database.Execute("INSERT OR REPLACE INTO pubs VALUES ($0, $1, $2, $3, $4)", pubKey, pub.Host, pub.Port, author, RowChecksum.Of(pubKey, pub.Host, pub.Port, author));
                break;
            default:
                break;
        }
    }

    private void AddAbout(byte[] about, int author, string field, ReadOnlyMemory<byte> json)
    {
        if (!json.IsEmpty)
        {
            var claim = json.ToArray();
            Database.Execute("INSERT OR REPLACE INTO abouts VALUES ($0, $1, $2, $3, $4)", about, author, field, claim, RowChecksum.Of(about, author, field, claim));
        }
    }
}
