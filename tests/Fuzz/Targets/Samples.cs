using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Fuzz;

/// <summary>Identities and messages that are the same in every run.</summary>
internal static class Samples
{
    public static KeyPair Self { get; } = Key(1);

    public static KeyPair Other { get; } = Key(2);

    public static NetworkKey Network { get; } = new(new Bytes32(Filled(9)));

    /// <summary>The contents of messages of all kinds, as people have them.</summary>
    public static IReadOnlyList<string> Contents { get; } =
    [
        """{"type":"post","text":"hello"}""",
        """{"type":"post","text":"grüße 😀 [pic](&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256) \u2028","mentions":[{"link":"&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256","size":12,"type":"image/png"}],"root":null,"branch":[]}""",
        $$"""{"type":"contact","contact":"{{Other.Id}}","following":true,"blocking":false}""",
        $$"""{"type":"about","about":"{{Other.Id}}","name":"Ada","image":{"link":"&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256"},"description":"","publicWebHosting":true}""",
        $$"""{"type":"pub","address":{"host":"pub.example","port":8008,"key":"{{Other.Id}}"} }""",
        """{"type":"vote","vote":{"link":"%WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256","value":1,"expression":"Like"}}""",
        """{"10":1,"2":0.1,"a":{"1":[1e21,-0,5e-324]},"type":"odd","a":[]}""",
        "\"" + Convert.ToBase64String(new byte[90]) + ".box\"",
    ];

    /// <summary>A short feed of <see cref="Self"/>, one message for each of <see cref="Contents"/>.</summary>
    public static IReadOnlyList<Message> Feed { get; } = MakeFeed();

    public static KeyPair Key(byte seed) => KeyPair.FromSeed(Filled(seed));

    public static byte[] Filled(byte value)
    {
        var bytes = new byte[32];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[][] Words(params string[] words) => Array.ConvertAll(words, Utf8);

    private static List<Message> MakeFeed()
    {
        var feed = new List<Message>();
        var tip = default(FeedTip);
        foreach (var content in Contents)
        {
            var message = ClassicFeed.Create(Self, tip, 1_500_000_000_000.5 + feed.Count, Utf8(content));
            feed.Add(message);
            tip = new FeedTip(message.Sequence, message.Id);
        }

        return feed;
    }
}
