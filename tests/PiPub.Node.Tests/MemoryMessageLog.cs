using PiPub.Scuttlebutt.Feeds;
using PiPub.Storage;

namespace PiPub.Node.Tests;

/// <summary>A log in memory, for tests of what stands on it.</summary>
internal sealed class MemoryMessageLog : IMessageLog
{
    private readonly Lock _gate = new();
    private readonly List<LogRecord> _records = [];

    public long End
    {
        get
        {
            lock (_gate)
            {
                return _records.Count;
            }
        }
    }

    public ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken)
    {
        var appended = new List<LogRecord>();
        lock (_gate)
        {
            foreach (var message in messages)
            {
                appended.Add(new LogRecord(message, receivedAt, _records.Count, _records.Count + 1));
                _records.Add(appended[^1]);
            }
        }

        return new(appended);
    }

    public LogRecord Read(long position)
    {
        lock (_gate)
        {
            return _records[(int)position];
        }
    }

    public ReadOnlyMemory<byte> ReadValue(long position) => Read(position).Message.Value;

    public IEnumerable<LogRecord> Scan(long position)
    {
        for (var end = End; position < end; position++)
        {
            yield return Read(position);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
