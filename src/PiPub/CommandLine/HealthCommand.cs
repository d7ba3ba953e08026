using System.CommandLine;
using System.Text;
using System.Text.Json;
using PiPub.Appliance.Health;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>
/// <c>pipub health</c>: whether the running box is well. The image asks it after every start, and keeps an update only when all
/// of it holds.
/// </summary>
internal static class HealthCommand
{
    // So that what it looks at, one after the other, comes to its end: it says more than that nobody answered.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var command = new Command("health", "Check that the running box is well: its page, its door for peers, its log, its lights. Ends with 1 when something is not.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var answer = await AskAsync(SharedOptions.Read(parsed).DataDirectory, cancellationToken);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json) ? answer.GetRawText() : ForPeople(answer));
            return answer.GetProperty("healthy").GetBoolean() ? 0 : 1;
        });
        return command;
    }

    private static async Task<JsonElement> AskAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await using var session = await LocalNode.ConnectAsync(dataDirectory, limit.Token);
            return (await session.CallAsync(HealthMethods.Health, JsonText.Arguments(), limit.Token)).ToJson();
        }
        catch (Exception e) when (e is CommandFailedException or RpcException or IOException)
        {
            return HealthMethods.NotThere(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthMethods.NotThere($"The box did not answer within {Patience.TotalMinutes:0} minutes.");
        }
    }

    private static string ForPeople(JsonElement answer)
    {
        var text = new StringBuilder();
        foreach (var check in answer.GetProperty("checks").EnumerateArray())
        {
            text.Append(check.GetProperty("good").GetBoolean() ? "good  " : "BAD   ").Append($"{check.GetProperty("name").GetString(),-8}").Append(check.GetProperty("words").GetString()).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
