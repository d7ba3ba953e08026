using PiPub.Scuttlebutt.Handshake;

namespace PiPub.Hostile.Faults;

/// <summary>Lines with half a second of delay, lines that lose packets, and lines that break in the middle of a sync: it goes on where it was.</summary>
public sealed class LineTests
{
    [Fact]
    public async Task A_sync_over_a_slow_line_that_breaks_goes_on_where_it_was()
    {
        await using var target = await Target.StartAsync();
        await using var line = new BadLine(target, TimeSpan.FromMilliseconds(500));
        target.Through = line.Door;
        for (var round = 1; round <= 3; round++)
        {
            Friend? friend = null;
            try
            {
                friend = await Friend.ComeAsync(target);
                _ = await friend.SyncAsync(200);
                line.Break();
            }
            catch (HandshakeException)
            {
                Assert.Fail("A handshake over a slow line takes four journeys, and five seconds are allowed.");
            }
            finally
            {
                if (friend is not null)
                    await friend.DisposeAsync();
            }
        }

        target.Through = null;
        Assert.Equal(600, await target.Box.SequenceAsync(Friend.Id.ToString()));
        await target.VerifyAsync();
    }

    [Fact]
    public async Task A_sync_over_a_line_that_loses_packets_comes_to_its_end()
    {
        await using var target = await Target.StartAsync();
        var synced = 0;
        await using (var line = await LossyLine.BeginAsync(target, oneIn: 20))
        {
            await using var friend = await Friend.ComeAsync(target);

            // How many messages go into a packet is the kernel's business: so until enough were lost both ways.
            while (synced < 1200 || (await LossyLine.LostAsync()).Min() <= 5)
            {
                Assert.True(synced < 20_000, "The line loses nothing.");
                _ = await friend.SyncAsync(200);
                synced += 200;
            }
        }

        Assert.Equal(synced, await target.Box.SequenceAsync(Friend.Id.ToString()));
        await target.VerifyAsync();
    }
}
