using System.CommandLine;
using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary><c>pipub restart</c>: ends the box and begins it again in the same process, with its configuration read anew.</summary>
internal static class RestartCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>A box that has let somebody in answers within this time, or it is closing.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var command = new Command("restart", "End the running box and begin it again, with its configuration read anew.");
        command.SetAction(NodeCall.Action(async call =>
        {
            await call.AskAsync("box.restart");
            await WhenBackAsync(call);
            call.Print(JsonElement.Parse("""{"restarted":true}"""), static _ => "The box has restarted.");
        }));
        return command;
    }

    private static async Task WhenBackAsync(NodeCall call)
    {
        var since = Environment.TickCount64;
        await Task.Delay(Timeout.InfiniteTimeSpan, call.Node.Closed).WaitAsync(Patience, call.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (Environment.TickCount64 - since < Patience.TotalMilliseconds)
        {
            call.CancellationToken.ThrowIfCancellationRequested();
            if (await IsThereAsync(call))
            {
                return;
            }

            await Task.Delay(AskEvery, call.CancellationToken);
        }

        throw new CommandFailedException("The box did not come back within two minutes. Its log says why.");
    }

    private static async Task<bool> IsThereAsync(NodeCall call)
    {
        if (await LocalNode.TryConnectAsync(call.Options.DataDirectory, call.CancellationToken) is not { } session)
        {
            return false;
        }

        await using (session)
        {
            try
            {
                _ = await session.CallAsync("version", JsonText.Arguments([]), call.CancellationToken).WaitAsync(AnswerWithin, call.CancellationToken);
                return true;
            }
            catch (Exception e) when (e is RpcException or TimeoutException)
            {
                // The box that is about to close has let it in still.
                return false;
            }
        }
    }
}
