using PiPub.Interop;

namespace PiPub.Benchmarks;

/// <summary>
/// The messages that every sync of a run transfers: posts by made-up authors, kept by a peer of the modern stack. The
/// authors and texts are the same in every run; the peer is made once and kept for later runs.
/// </summary>
internal sealed class Corpus
{
    private const string Name = "posts";

    private Corpus(int messages, string networkKey, string directory, string[] authors) =>
        (Messages, NetworkKey, Directory, Authors) = (messages, networkKey, directory, authors);

    /// <summary>The network of all benchmarks.</summary>
    public static string TestNetworkKey { get; } = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData("PiPub benchmarks"u8));

    /// <summary>How many messages there are in all.</summary>
    public int Messages { get; }

    public string NetworkKey { get; }

    /// <summary>The data directory of the peer that has them.</summary>
    public string Directory { get; }

    /// <summary>The feeds.</summary>
    public string[] Authors { get; }

    /// <summary>Opens the corpus in <paramref name="workDirectory"/>, which is made when there is none of this size.</summary>
    public static async Task<Corpus> OpenAsync(string workDirectory, int messages, int feeds)
    {
        var home = Path.Combine(workDirectory, $"{Name}-{messages}-{feeds}");
        var directory = Path.Combine(home, "peer");
        var authorsFile = Path.Combine(home, "authors");
        var networkKey = TestNetworkKey;
        if (!File.Exists(authorsFile))
        {
            Console.WriteLine($"Writing {messages} messages by {feeds} authors (kept for the next run) ...");
            if (System.IO.Directory.Exists(home))
                System.IO.Directory.Delete(home, recursive: true);
            System.IO.Directory.CreateDirectory(directory);
            await using var peer = await JsPeer.StartAsync(Stack.Modern, directory, networkKey);
            var authors = await peer.PublishAsAsync(feeds, messages, Name);
            foreach (var author in authors)
                await peer.FollowAsync(author);
            // The stack writes its log and its indexes a while after it has answered.
            await Task.Delay(TimeSpan.FromSeconds(10));
            await File.WriteAllLinesAsync(authorsFile, authors);
        }
        return new Corpus(messages, networkKey, directory, await File.ReadAllLinesAsync(authorsFile));
    }
}
