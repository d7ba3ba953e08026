using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Intake;

/// <summary>An author with a real key, whose messages are properly signed.</summary>
internal sealed class TestAuthor
{
    private readonly KeyPair _keys;

    public TestAuthor(int seed)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, seed);
        _keys = KeyPair.FromSeed(bytes);
    }

    public KeyPair Keys => _keys;

    public FeedId Id => _keys.Id;

    /// <summary>A message after any tip: also what an honest author would never write.</summary>
    public Message Write(FeedTip tip, string text) =>
        ClassicFeed.Create(_keys, tip, 1_700_000_000_000 + tip.Sequence, Encoding.UTF8.GetBytes($$"""{"type":"post","text":"{{text}}"}"""));

    /// <summary>A whole feed.</summary>
    public List<Message> WriteFeed(int length, string text = "x", IReadOnlyList<Message>? after = null)
    {
        var feed = new List<Message>(after ?? []);
        while (feed.Count < length)
        {
            feed.Add(Write(TipOf(feed), text));
        }

        return feed;
    }

    public static FeedTip TipOf(IReadOnlyList<Message> feed) => feed.Count == 0 ? default : new FeedTip(feed[^1].Sequence, feed[^1].Id);
}
