using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Replication;

/// <content>Peers without EBT: when to give it up, and what is done instead.</content>
public sealed partial class EbtReplication
{
    /// <summary>
    /// A peer that dialled us opens EBT itself, or cannot. When it takes too long or calls createHistoryStream instead, its
    /// feeds are pulled; should it open EBT after all, that ends.
    /// </summary>
    private async Task WaitForEbtOrPullAsync(Peer peer, CancellationToken cancellationToken)
    {
        var gate = GateOf(peer.Session);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var patience = Task.Delay(_options.EbtPatience, _time, stop.Token);
        await Task.WhenAny(gate.EbtOpened.Task, gate.HistoryAsked.Task, patience);
        if (!gate.EbtOpened.Task.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            var pulling = PullAsync(peer, stop.Token);
            await Task.WhenAny(gate.EbtOpened.Task, pulling);
            await stop.CancelAsync();
            await pulling;
        }

        await stop.CancelAsync();
    }

    private async Task PullAsync(Peer peer, CancellationToken cancellationToken)
    {
        LogPulling(peer.Id);
        try
        {
            await new HistoryPull(peer.Session, _store, _submit, _wanted, feed => IsForked(feed) || IsWithheld(feed, peer.Id), _options, _time).RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The connection is over, or EBT has taken over.
        }
    }

    [Microsoft.Extensions.Logging.LoggerMessage(Level = Microsoft.Extensions.Logging.LogLevel.Debug, Message = "{Peer} has no EBT: its feeds are asked for one by one.")]
    private partial void LogPulling(FeedId peer);
}
