using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Node.Replication;

/// <content>One EBT session over its stream.</content>
public sealed partial class EbtReplication
{
    private const int FeedsANote = 1000;
    private const int MessagesATurn = 64;

    // Announcements that follow each other closely are sent together.
    private const int NotesPauseMilliseconds = 100;

    // The first notes of a large pub are 4 MiB; what changes later is little. Messages that were not asked for cost less than notes.
    private const int NotesAtOnce = 8 * 1024 * 1024;
    private const int NotesASecond = 256 * 1024;
    private const int UnaskedShare = 4;

    private sealed class EbtLink : IMessageSource
    {
        private readonly InputPace _pace;
        private readonly EbtReplication _owner;
        private readonly RpcStream _stream;
        private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> _work = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        private RpcException? _endedBy;
        private long _notesAt = -NotesPauseMilliseconds;

        public EbtLink(EbtReplication owner, RpcStream stream)
        {
            (_owner, _stream, _pace) = (owner, stream, new InputPace(NotesAtOnce, NotesASecond, owner._time));
            Wake = () => _work.Writer.TryWrite(true);
        }

        public Action Wake { get; }

        public EbtSession Session { get; set; } = null!;

        public byte[]? Saved { get; set; }

        public long RememberedAt { get; set; }

        /// <summary>Ends the session with an error for the peer to read.</summary>
        public void End(RpcException error)
        {
            _endedBy = error;
            _ending.TrySetResult();
        }

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var reading = ReadAsync(ended.Token);
            var writing = WriteAsync(ended.Token);
            try
            {
                var first = await Task.WhenAny(reading, writing, _ending.Task);
                await ended.CancelAsync();
                await first;
            }
            catch (OperationCanceledException)
            {
                // The connection is over.
            }
            finally
            {
                _stream.Complete(_endedBy);
                await SettleAsync(reading);
                await SettleAsync(writing);
            }
        }

        public void Judged(FeedId author, int sequence, IntakeVerdict verdict)
        {
            if (verdict is IntakeVerdict.Appended or IntakeVerdict.Known or IntakeVerdict.Waiting)
            {
                return;
            }

            lock (_owner._gate)
            {
                switch (verdict)
                {
                    case IntakeVerdict.Invalid:
                        _owner._tree.RefuseFrom(Session, author, _owner.Now);
                        break;
                    case IntakeVerdict.Forked:
                        _owner._tree.SetStopped(author, true, _owner.Now);
                        break;
                    default:
                        _owner._tree.Lost(author);
                        break;
                }
            }
        }

        private static async Task SettleAsync(Task task)
        {
            try
            {
                await task;
            }
            catch (Exception e) when (e is OperationCanceledException or RpcException or ObjectDisposedException)
            {
                // Its reason is known already, or is the end of the other half.
            }
        }

        private async Task ReadAsync(CancellationToken cancellationToken)
        {
            while (await _stream.ReadAsync(cancellationToken) is { } body)
            {
                if (body.Type != BodyType.Json)
                {
                    continue;
                }

                // Notes begin with a feed, messages do not: notes are not looked through for a message first.
                if (!body.Bytes.Span.StartsWith("{\"@"u8) && ClassicFeed.TryPeek(body.Bytes, out var author, out var sequence))
                {
                    bool isNew;
                    lock (_owner._gate)
                    {
                        isNew = _owner._tree.ReceiveMessage(Session, author, sequence, _owner.Now);
                    }

                    if (isNew)
                    {
                        var submitted = _owner._submit(this, body.Bytes, cancellationToken);
                        if (!submitted.IsCompletedSuccessfully)
                        {
                            await submitted;
                            lock (_owner._gate)
                            {
                                EbtTree.Touch(Session, _owner.Now);
                            }
                        }
                    }
                    else
                    {
                        await _pace.TakeAsync(body.Bytes.Length / UnaskedShare, cancellationToken);
                    }
                }
                else
                {
                    ReceiveNotes(body.Bytes.Span);
                    await _pace.TakeAsync(body.Bytes.Length, cancellationToken);
                }
            }
        }

        private void ReceiveNotes(ReadOnlySpan<byte> notes)
        {
            lock (_owner._gate)
            {
                try
                {
                    _owner._tree.ReceiveNotes(Session, notes, _owner.Now);
                }
                catch (JsonException e)
                {
                    throw _endedBy = new RpcException("expected EBT notes or a message, and got neither", e);
                }

                _owner.ArmTimer();
            }
        }

        private async Task WriteAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                var now = _owner.Now;
                var pause = _notesAt + NotesPauseMilliseconds - now;
                if (pause <= 0 && await WriteNotesAsync(cancellationToken))
                {
                    _notesAt = now;
                }

                if (await WriteMessagesAsync(cancellationToken))
                {
                    continue;
                }

                bool waiting;
                lock (_owner._gate)
                {
                    waiting = Session.HasNotes;
                }

                if (!waiting)
                {
                    await _work.Reader.ReadAsync(cancellationToken);
                }
                else if (pause > 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(pause), _owner._time, cancellationToken);
                }
            }
        }

        private async ValueTask<bool> WriteNotesAsync(CancellationToken cancellationToken)
        {
            if (!Session.HasNotes)
            {
                return false; // Seen without the lock; whoever adds some wakes this loop.
            }

            // Not kept: the first notes of a session are large, and a session then lasts for days.
            var notes = new ArrayBufferWriter<byte>(256);
            while (true)
            {
                notes.ResetWrittenCount();
                lock (_owner._gate)
                {
                    if (!Session.TakeNotes(notes, FeedsANote))
                    {
                        return true;
                    }
                }

                await _stream.WriteAsync(BodyType.Json, notes.WrittenMemory, cancellationToken);
            }
        }

        private async ValueTask<bool> WriteMessagesAsync(CancellationToken cancellationToken)
        {
            FeedId feed;
            int first, count;
            lock (_owner._gate)
            {
                if (!Session.TakeMessages(MessagesATurn, out feed, out first, out count))
                {
                    return false;
                }
            }

            for (var sequence = first; sequence < first + count; sequence++)
            {
                if (!_owner.TryRead(feed, sequence, out var value))
                {
                    break;
                }

                var written = _stream.WriteAsync(BodyType.Json, value, cancellationToken);
                if (!written.IsCompletedSuccessfully)
                {
                    await written;
                }
            }

            return true;
        }
    }

    private bool TryRead(FeedId feed, int sequence, out ReadOnlyMemory<byte> value)
    {
        if (_recent.TryGet(feed, sequence, out value))
        {
            return true;
        }

        try
        {
            value = _store.Log.ReadValue(_store.PositionOf(feed, sequence));
            return true;
        }
        catch (InvalidDataException e)
        {
            LogUnreadable(e, feed);
            return false;
        }
    }
}
