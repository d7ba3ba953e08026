using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Tests;

/// <summary>A feed whose messages have the classic form but no real signature: storage does not look at it.</summary>
internal sealed class TestFeed
{
    private static readonly string Signature = Convert.ToBase64String(new byte[64]) + ".sig.ed25519";

    public TestFeed(int seed) => Id = new FeedId(SHA256.HashData(BitConverter.GetBytes(seed)));

    public FeedId Id { get; }

    public FeedTip Tip { get; private set; }

    /// <summary>Writes the next message; content is JSON.</summary>
    public Message Next(string content, double? timestamp = null, bool sequenceFirst = false)
    {
        var at = timestamp ?? (1_700_000_000_000 + Tip.Sequence);
        var previous = Tip.Sequence == 0 ? "null" : $"\"{Tip.Id}\"";
        var sequence = $"\"sequence\":{Tip.Sequence + 1}";
        var author = $"\"author\":\"{Id}\"";
        var value = Encoding.UTF8.GetBytes(
            $$"""{"previous":{{previous}},{{(sequenceFirst ? sequence + "," + author : author + "," + sequence)}},"timestamp":{{at:R}},"hash":"sha256","content":{{content}},"signature":"{{Signature}}"}""");
        var message = new Message(new MessageId(SHA256.HashData(value)), Id, Tip.Sequence + 1, Tip.Id, at, value);
        Tip = new FeedTip(message.Sequence, message.Id);
        return message;
    }

    public Message Post(int textLength = 20) => Next($$"""{"type":"post","text":"{{new string('x', textLength)}}"}""");
}
