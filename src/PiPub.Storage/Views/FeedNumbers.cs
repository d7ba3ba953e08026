using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>Small numbers for feeds, so that the other tables need not repeat 32 bytes. Kept in memory, about 100 bytes a feed.</summary>
internal sealed class FeedNumbers(ViewDatabase database)
{
    private readonly Dictionary<FeedId, int> _numbers = [];
    private readonly List<FeedId> _feeds = [];

    public static string Schema => "CREATE TABLE feeds (number INTEGER PRIMARY KEY, key BLOB NOT NULL, checksum INTEGER NOT NULL)";

    public FeedId this[int number] => _feeds[number];

    public void Load()
    {
        _numbers.Clear();
        _feeds.Clear();
        using var reader = database.Statement("SELECT number, key, checksum FROM feeds ORDER BY number").ExecuteReader();
        while (reader.Read())
        {
            RowChecksum.Check(reader);
            var feed = new FeedId(reader.GetFieldValue<byte[]>(1));
            if (reader.GetInt64(0) != _feeds.Count || !_numbers.TryAdd(feed, _feeds.Count))
            {
                throw new ViewDamagedException();
            }

            _feeds.Add(feed);
        }
    }

    public bool TryGet(FeedId feed, out int number) => _numbers.TryGetValue(feed, out number);

    public int GetOrAdd(FeedId feed)
    {
        if (!_numbers.TryGetValue(feed, out var number))
        {
            number = _feeds.Count;
            var key = feed.Bytes.ToArray();
            database.Execute("INSERT INTO feeds VALUES ($0, $1, $2)", number, key, RowChecksum.Of(number, key));
            _numbers.Add(feed, number);
            _feeds.Add(feed);
        }

        return number;
    }
}
