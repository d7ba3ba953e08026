using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>
/// Sends the history streams of one connection, in turns of a few messages each, with one task that runs only while there
/// is something to send.
/// </summary>
internal sealed class HistoryPump(HistoryStreams streams, MessageStore store, RecentMessages recent, FeedId peer)
{
    private const int MessagesATurn = 32;

    private readonly Lock _gate = new();
    private readonly Queue<HistoryCursor> _ready = new();
    private bool _running;

    public FeedId Peer => peer;

    public void Enqueue(HistoryCursor cursor)
    {
        lock (_gate)
        {
            _ready.Enqueue(cursor);
            if (_running)
            {
                return;
            }

            _running = true;
        }

        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (true)
        {
            HistoryCursor? cursor;
            lock (_gate)
            {
                if (!_ready.TryDequeue(out cursor))
                {
                    _running = false;
                    return;
                }
            }

            try
            {
                await SendSomeAsync(cursor);
            }
            catch (Exception e)
            {
                // The stream or the connection has ended, or the log is damaged there: this stream is over, others are not.
                cursor.Fail(e);
            }
        }
    }

    private async ValueTask SendSomeAsync(HistoryCursor cursor)
    {
        var newest = store.SequenceOf(cursor.Feed);
        for (var i = 0; i < MessagesATurn && cursor.Next <= newest && cursor.Left != 0 && !cursor.IsDone; i++)
        {
            await cursor.Stream.WriteAsync(BodyOf(cursor, out var body), body, CancellationToken.None);
            cursor.Next++;
            cursor.Left -= cursor.Left > 0 ? 1 : 0;
        }

        if (cursor.IsDone)
        {
            return;
        }

        if (cursor.Left == 0 || streams.IsWithheld(cursor))
        {
            cursor.Finish();
        }
        else if (cursor.Next <= newest)
        {
            Enqueue(cursor);
        }
        else if (cursor.Live)
        {
            streams.Park(cursor);
        }
        else
        {
            cursor.Finish();
        }
    }

    private BodyType BodyOf(HistoryCursor cursor, out ReadOnlyMemory<byte> bytes)
    {
        var position = store.PositionOf(cursor.Feed, cursor.Next);
        if (!cursor.Keys)
        {
            if (!recent.TryGet(cursor.Feed, cursor.Next, out bytes))
            {
                bytes = store.Log.ReadValue(position);
            }

            return BodyType.Json;
        }

        var body = MessageJson.Format(store.Log.Read(position), cursor.Keys, cursor.Values);
        bytes = body.Bytes;
        return body.Type;
    }
}
