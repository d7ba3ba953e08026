using System.Text.Json;

namespace PiPub.Interop;

/// <summary>
/// The plug is pulled (kill -9) a hundred times while a client's feed streams in, another client reads it, and the owner
/// publishes. Whatever PiPub had said it holds, it must hold afterwards.
/// </summary>
/// <remarks>
/// A message counts as acknowledged when its author saw PiPub's note for it, when another peer has received it through
/// PiPub, or when the call that published it was answered.
/// </remarks>
public sealed class CrashTests
{
    private const int Kills = 100;
    private const int MessagesARound = 200;
    private const int LongestLifeMilliseconds = 300;

    [Fact]
    public async Task A_hundred_pulled_plugs_lose_nothing_that_was_acknowledged()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TEST_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"TEST_SEED={seed}");
        var random = new Random(seed);
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartModernAsync();
        var reader = await network.StartModernAsync();
        await pub.WelcomeAsync(writer);
        await pub.WelcomeAsync(reader);
        await reader.FollowAsync(writer.Id);
        await writer.FollowAsync(reader.Id);
        var owner = await OwnerClient.ConnectAsync(pub, network);

        var cutShort = 0;
        for (var kill = 1; kill <= Kills; kill++)
        {
            await owner.PublishOnAsync();
            var publishing = writer.PublishManyAsync(MessagesARound, $"round {kill}");
            await Task.Delay(random.Next(LongestLifeMilliseconds), TestContext.Current.CancellationToken);
            var noted = await writer.AcknowledgedAsync(pub.Id);
            await pub.KillAsync();
            var published = await publishing;

            if (random.Next(5) == 0)
                await KillWhileStartingAsync(pub, random);
            await pub.StartAsync();

            var where = $"after kill {kill} of {Kills} (TEST_SEED={seed})";
            var (exitCode, output, errors) = await pub.TryCommandAsync("verify");
            Assert.True(exitCode == 0, $"pipub verify is not clean {where}:\n{output}\n{errors}");
            await owner.ReconnectAsync();
            var held = await owner.CallAsync("getVectorClock");
            AssertHeld(held, writer.Id, Math.Max(noted, await reader.SequenceAsync(writer.Id)), where);
            AssertHeld(held, pub.Id, Math.Max(await owner.AnsweredAsync(), await reader.SequenceAsync(pub.Id)), where);
            if (held.GetProperty(writer.Id).GetInt64() < published.Sequence)
                cutShort++;
            await writer.ConnectAsync(pub.Address);
            await reader.ConnectAsync(pub.Address);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{cutShort} of {Kills} kills came before PiPub held all that had been published.");
        Assert.True(cutShort > 0, "No kill came during a sync: this run shows nothing.");
        var last = await writer.PublishAsync("The end");
        await reader.WaitForAsync(writer.Id, last.Sequence);
        var own = await owner.CallAsync("publish", """[{"type":"post","text":"Still one feed"}]""");
        await reader.WaitForAsync(pub.Id, own.GetProperty("value").GetProperty("sequence").GetInt64());
    }

    private static async Task KillWhileStartingAsync(PiPubProcess pub, Random random)
    {
        var starting = pub.StartAsync();
        await Task.Delay(random.Next(LongestLifeMilliseconds), TestContext.Current.CancellationToken);
        await pub.KillAsync();
        // It was up already, or it died of the kill: either is what a pulled plug does.
        await Task.WhenAny(starting);
        _ = starting.Exception;
    }

    private static void AssertHeld(JsonElement clock, string feed, long acknowledged, string where)
    {
        var held = clock.TryGetProperty(feed, out var sequence) ? sequence.GetInt64() : 0;
        Assert.True(held >= acknowledged, $"PiPub had acknowledged {feed} up to {acknowledged} and holds {held} {where}.");
    }
}
