using System.Threading.Channels;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Queries;

/// <summary>A list that is sent as it is, and again whenever it has changed, at most five times a second.</summary>
internal static class LiveList
{
    private static readonly TimeSpan ChangesPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Sends until the stream ends.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="now">The list as it is.</param>
    /// <param name="follow">Asks to be told of changes with the given action, which may be called on any thread.</param>
    /// <param name="unfollow">Asks to be told no longer.</param>
    /// <param name="ended">The end of the stream.</param>
    public static async Task SendAsync(RpcStream stream, Func<RpcBody> now, Action<Action> follow, Action<Action> unfollow, CancellationToken ended)
    {
        var changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Changed() => changes.Writer.TryWrite(true);
        follow(Changed);
        try
        {
            do
            {
                await stream.WriteAsync(BodyType.Json, now().Bytes, ended);
                await Task.Delay(ChangesPause, ended);
            }
            while (await changes.Reader.WaitToReadAsync(ended) && changes.Reader.TryRead(out _));
        }
        finally
        {
            unfollow(Changed);
        }
    }
}
