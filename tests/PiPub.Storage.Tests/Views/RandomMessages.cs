using System.Text.Json;
using PiPub.Scuttlebutt.Feeds;

namespace PiPub.Storage.Tests.Views;

/// <summary>Messages of every kind that the views look at, with links among them; the same for the same seed.</summary>
internal sealed class RandomMessages(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Message> _written = [];

    public TestFeed[] Feeds { get; } = [.. Enumerable.Range(seed * 100, 7).Select(static feed => new TestFeed(feed))];

    public static string Blob(int number) => $"&{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number)))}.sha256";

    public Message Next()
    {
        var feed = Feeds[_random.Next(Feeds.Length)];
        var message = feed.Next(Content(), timestamp: 1_600_000_000_000 + _random.Next(1_000_000) + (_random.Next(3) == 0 ? 0.001 : 0));
        _written.Add(message);
        return message;
    }

    public Message[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    private string Content()
    {
        var feed = Feeds[_random.Next(Feeds.Length)].Id;
        var message = _written.Count == 0 ? "none" : _written[_random.Next(_written.Count)].Id.ToString();
        var blob = Blob(_random.Next(5));
        return _random.Next(10) switch
        {
            0 => "\"" + Convert.ToBase64String(new byte[_random.Next(30, 100)]) + ".box\"",
            1 => $$"""{"type":"contact","contact":"{{feed}}","following":{{Bool()}},"blocking":{{Bool()}}}""",
            2 => $$"""{"type":"about","about":"{{feed}}","name":"n{{_random.Next(100)}}","image":{"link":"{{blob}}","size":7} }""",
            3 => $$"""{"type":"vote","vote":{"link":"{{message}}","value":1} }""",
            4 => $$"""{"type":"post","text":"![x]({{blob}}) \"quoted\" \u00e5","root":"{{message}}","branch":["{{message}}","{{message}}"],"mentions":[{"link":"{{blob}}","name":"b"},{"link":"{{feed}}"},"{{feed}}",7,null]}""",
            5 => $$"""{"type":"pub","address":{"host":"pub{{_random.Next(4)}}.example","port":8008,"key":"{{feed}}"} }""",
            6 => $$"""{"type":"tangled","tangles":{"thread":{"root":"{{message}}","previous":["{{message}}"]} } }""",
            7 => $$"""{"{{message}}":{"link":"{{feed}}"},"notype":[[{"link":"{{feed}}"}]]}""",
            _ => $$"""{"type":"post","text":{{JsonSerializer.Serialize(new string('y', _random.Next(300)))}},"root":"{{message}}"}""",
        };
    }

    private string Bool() => _random.Next(2) == 0 ? "true" : "false";
}
