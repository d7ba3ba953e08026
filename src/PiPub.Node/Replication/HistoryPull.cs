using System.Text;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>
/// Receives from a peer without EBT: a live createHistoryStream for each wanted feed, the box's own and the nearest
/// first; feeds beyond a limit are asked for in turn.
/// </summary>
/// <remarks>
/// Replies may overtake each other (ssb-db2 sorts by time, not sequence); the intake puts them in order.
/// Source: ssb-replicate 1.3.5 legacy.js.
/// </remarks>
internal sealed class HistoryPull(
    IRpcSession session,
    MessageStore store,
    SubmitMessage submit,
    IWantedFeeds wanted,
    Func<FeedId, bool> isExcluded,
    ReplicationOptions options,
    TimeProvider time) : IMessageSource
{
    private const string Method = "createHistoryStream";

    // The first stream shows whether the peer serves the call at all.
    private static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, CancellationTokenSource> _live = [];
    private readonly HashSet<FeedId> _refused = [];
    private readonly TaskCompletionSource _notServed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Pulls until the token is cancelled or the peer turns out not to serve the call.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var feeds = wanted.Wanted();
        if (feeds.Count > 0)
        {
            Begin(feeds[0], cancellationToken);
            await Task.WhenAny(_notServed.Task, Task.Delay(ProbeTime, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        void Follow(WantedChange change)
        {
            foreach (var feed in change.Removed)
            {
                End(feed);
            }

            foreach (var feed in change.Added)
            {
                Begin(feed, cancellationToken);
            }
        }

        wanted.Changed += Follow;
        try
        {
            foreach (var feed in wanted.Wanted())
            {
                Begin(feed, cancellationToken);
            }

            while (!_notServed.Task.IsCompleted)
            {
                await Task.WhenAny(_notServed.Task, Task.Delay(options.RememberEvery, time, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
                await AskForTheRestAsync(cancellationToken);
            }
        }
        finally
        {
            wanted.Changed -= Follow;
            foreach (var feed in LiveFeeds())
            {
                End(feed);
            }
        }
    }

    /// <inheritdoc/>
    public void Judged(FeedId author, int sequence, IntakeVerdict verdict)
    {
        if (verdict is IntakeVerdict.Appended or IntakeVerdict.Known or IntakeVerdict.Waiting)
        {
            return;
        }

        if (verdict is IntakeVerdict.Invalid or IntakeVerdict.Forked)
        {
            lock (_gate)
            {
                _refused.Add(author);
            }
        }

        End(author); // What was merely not kept is asked for again, in turn.
    }

    private static byte[] Args(FeedId feed, int from, bool live) =>
        Encoding.ASCII.GetBytes($$"""[{"id":"{{feed}}","seq":{{from}},"live":{{(live ? "true" : "false")}},"keys":false}]""");

    private List<FeedId> LiveFeeds()
    {
        lock (_gate)
        {
            return [.. _live.Keys];
        }
    }

    private void Begin(FeedId feed, CancellationToken cancellationToken)
    {
        CancellationTokenSource stop;
        lock (_gate)
        {
            if (_notServed.Task.IsCompleted || _live.Count >= options.MaxLivePulls || _live.ContainsKey(feed) || _refused.Contains(feed) || isExcluded(feed))
            {
                return;
            }

            stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _live.Add(feed, stop);
        }

        _ = PullLiveAsync(feed, stop);
    }

    private void End(FeedId feed)
    {
        lock (_gate)
        {
            if (_live.Remove(feed, out var stop))
            {
                stop.Cancel();
            }
        }
    }

    private async Task PullLiveAsync(FeedId feed, CancellationTokenSource stop)
    {
        await PullAsync(feed, live: true, stop.Token);
        lock (_gate)
        {
            if (_live.GetValueOrDefault(feed) == stop)
            {
                _live.Remove(feed);
            }

            stop.Dispose();
        }
    }

    private async Task AskForTheRestAsync(CancellationToken cancellationToken)
    {
        foreach (var feed in wanted.Wanted())
        {
            bool skip;
            lock (_gate)
            {
                skip = _live.ContainsKey(feed) || _refused.Contains(feed);
            }

            if (!skip && !isExcluded(feed) && !_notServed.Task.IsCompleted)
            {
                await PullAsync(feed, live: false, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private async Task PullAsync(FeedId feed, bool live, CancellationToken cancellationToken)
    {
        RpcStream? stream = null;
        try
        {
            stream = session.Open(Method, CallType.Source, Args(feed, store.SequenceOf(feed) + 1, live));
            while (await stream.ReadAsync(cancellationToken) is { } body)
            {
                if (ClassicFeed.TryUnwrap(body.Bytes, out var value)
                    && ClassicFeed.TryPeek(value, out var author, out var sequence)
                    && author == feed
                    && sequence > store.SequenceOf(feed))
                {
                    await submit(this, value, cancellationToken);
                }
            }
        }
        catch (RpcException e)
        {
            if (e.IsMissingMethod)
            {
                _notServed.TrySetResult();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The pull was ended, or the node is stopping.
        }
        finally
        {
            stream?.Complete();
        }
    }
}
