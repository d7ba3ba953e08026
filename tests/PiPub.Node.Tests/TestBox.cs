using System.Security.Cryptography;
using System.Text;
using PiPub.Node.Publishing;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Tests;

/// <summary>A directory that is gone when the test is over, with a state database in it.</summary>
internal sealed class TestState : IDisposable
{
    public TestState() => Database = StateDatabase.Open(Directory);

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("pipub-test-").FullName;

    public StateDatabase Database { get; private set; }

    /// <summary>Closes and opens the database, as a restart does.</summary>
    public void Reopen()
    {
        Database.Dispose();
        Database = StateDatabase.Open(Directory);
    }

    public void Dispose()
    {
        Database.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

/// <summary>Appends unsigned messages to a store: whoever publishes through it does not look at signatures.</summary>
internal sealed class TestPublisher(FeedId box, MessageStore store) : IPublisher
{
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <summary>Thrown in place of publishing.</summary>
    public Exception? Failure { get; set; }

    public List<string> Published { get; } = [];

    public async ValueTask<LogRecord> PublishAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            await Task.Yield();
            if (Failure is { } failure)
            {
                throw failure;
            }

            Published.Add(Encoding.UTF8.GetString(content.Span));
            return await TestFeed.AppendAsync(store, box, Encoding.UTF8.GetString(content.Span));
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}

/// <summary>Messages with any content, unsigned.</summary>
internal static class TestFeed
{
    public static async Task<LogRecord> AppendAsync(MessageStore store, FeedId author, string contentJson)
    {
        var tip = store.Tip(author);
        var value = Encoding.UTF8.GetBytes($$"""{"previous":null,"author":"{{author}}","sequence":{{tip.Sequence + 1}},"content":{{contentJson}}}""");
        var message = new Message(new MessageId(SHA256.HashData(value)), author, tip.Sequence + 1, tip.Id, 1, value);
        return (await store.AppendAsync([message], 1_700_000_000_000, CancellationToken.None))[0];
    }
}
