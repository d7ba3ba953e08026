using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Hostile.Faults;

/// <summary>A clock that jumps by years and back, as one without a battery does, or one that somebody sets by hand.</summary>
public sealed class ClockTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clock_that_jumps_by_years_and_back_stops_nobody_and_loses_nothing()
    {
        var directory = Directory.CreateTempSubdirectory("pipub-clock-").FullName;
        var (plan, within) = await FaultPlan.MakeAsync(directory);
        using var faults = plan;
        await using var target = await Target.StartAsync(within, directory);
        var (published, furthest) = (0, 0);
        await using (var friend = await Friend.ComeAsync(target))
        {
            foreach (var years in new[] { 0, 10, -20, 0, 30, -1 })
            {
                plan.SetClock(TimeSpan.FromDays(365 * years));
                _ = await friend.SyncAsync(100);

                // A clock that is behind what the box has signed holds it back, in words.
                furthest = Math.Max(furthest, years);
                var (code, output, errors) = await target.Box.TryCommandAsync("publish", """{"type":"post","text":"at some time or other"}""");
                published += code == 0 ? 1 : 0;
                Assert.True(code == 0 || (years < furthest && errors.Contains("clock", StringComparison.Ordinal)), errors);
                if (years > 0)
                    Assert.Equal(years, YearsAhead(output));
                _ = await target.Box.CommandAsync("status");
                await using var newcomer = await Guest.ConnectAsync(target, Target.Address(1 + published), KeyPair.Generate());
                await Siege.MustAsync(newcomer.Speak(target).CallAsync("whoami", "[]"u8.ToArray(), Stop), "a newcomer has got an answer");
            }
        }

        Assert.True(published >= 3, $"Only {published} posts were published.");
        plan.SetClock(TimeSpan.Zero);
        await target.Box.KillAsync();
        await target.Box.StartAsync();
        Assert.Equal(600, await target.Box.SequenceAsync(Friend.Id.ToString()));
        Assert.True(await target.Box.SequenceAsync(target.Box.Id) >= published, "Posts that were acknowledged are gone.");
        await target.VerifyAsync();
    }

    /// <summary>How far in the future a post was signed.</summary>
    private static int YearsAhead(string published)
    {
        using var message = JsonDocument.Parse(published);
        var signed = message.RootElement.GetProperty("value").GetProperty("timestamp").GetDouble();
        return (int)Math.Round((signed - TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) / TimeSpan.FromDays(365).TotalMilliseconds);
    }
}
