using System.Net.Sockets;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Hostile;

/// <summary>Those who never become peers, or do not stay so.</summary>
public sealed class ConnectionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thousands_of_half_open_connections_shut_nobody_out()
    {
        await using var siege = await Siege.BeginAsync();
        var opened = 0;
        var thousand = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        siege.NotOverBefore(thousand.Task, "more than a thousand connections were opened");
        await siege.EndureAsync([.. Enumerable.Range(0, 300).Select<int, Func<Task>>(one => async () =>
        {
            var sockets = new Queue<Socket>();
            while (!siege.Over.IsCancellationRequested)
            {
                try
                {
                    sockets.Enqueue(await siege.Target.ConnectAsync(Target.Address(one)));
                    if (Interlocked.Increment(ref opened) > 1000)
                        thousand.TrySetResult();
                }
                catch (SocketException)
                {
                    // Turned away already.
                }

                if (sockets.Count > 20)
                    sockets.Dequeue().Dispose();
                await Task.Delay(500, siege.Over);
            }
        })]);
    }

    [Fact]
    public async Task One_byte_a_second_ends_when_the_handshakes_time_is_over()
    {
        await using var siege = await Siege.BeginAsync();
        var cut = 0;
        await siege.EndureAsync([.. Enumerable.Range(0, 40).Select<int, Func<Task>>(one => async () =>
        {
            using var socket = await siege.Target.ConnectAsync(Target.Address(one / 10));
            try
            {
                while (true)
                {
                    _ = await socket.SendAsync(new byte[1], SocketFlags.None, Stop);
                    await Task.Delay(1000, Stop);
                }
            }
            catch (SocketException)
            {
                _ = Interlocked.Increment(ref cut);
            }
        })]);
        Assert.Equal(40, cut);
    }

    [Fact]
    public async Task Frames_of_four_gibibytes_cut_their_sender_off_and_it_is_remembered()
    {
        await using var siege = await Siege.BeginAsync();
        var (target, from) = (siege.Target, Target.Address(7));
        await siege.EndureAsync(async () =>
        {
            for (var one = 0; one < 3; one++)
            {
                var key = KeyPair.Generate();
                await using (var guest = await Guest.ConnectAsync(target, from, key))
                {
                    await guest.WriteAsync(2, 1, "{", announced: uint.MaxValue);
                    await guest.DrainAsync();
                }

                await Assert.ThrowsAsync<HandshakeException>(() => Guest.ConnectAsync(target, Target.Address(8), key));
            }

            // Three offences, and the address is closed as well, whoever comes from it.
            await Assert.ThrowsAnyAsync<Exception>(() => Guest.ConnectAsync(target, from));
        });
        await siege.VerifyAsync();
    }

    [Fact]
    public async Task Strangers_that_fill_every_place_make_room_for_a_friend()
    {
        await using var siege = await Siege.BeginAsync();
        var known = KeyPair.Generate();
        _ = await siege.Target.Box.CommandAsync("follow", known.Id.ToString());
        var guests = new List<Guest>();
        try
        {
            for (var one = 0; guests.Count < 400; one++)
                guests.Add(await Guest.ConnectAsync(siege.Target, Target.Address(100 + (one / 20))));
        }
        catch (HandshakeException)
        {
            // All places are taken.
        }

        Assert.InRange(guests.Count, 200, 399);
        await Assert.ThrowsAsync<HandshakeException>(() => Guest.ConnectAsync(siege.Target, Target.Address(200)));
        await using (var friend = await Guest.ConnectAsync(siege.Target, Target.Address(201), known))
            _ = await friend.Speak(siege.Target).CallAsync("whoami", "[]"u8.ToArray(), Stop);
        foreach (var guest in guests)
            await guest.DisposeAsync();
    }
}
