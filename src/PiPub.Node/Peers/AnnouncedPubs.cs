using PiPub.Scuttlebutt.Addresses;
using PiPub.Storage.Views;

namespace PiPub.Node.Peers;

/// <summary>
/// Brings the addresses that pub messages announce from the views to the address book, now and then: nothing hangs on
/// knowing one at once. Source: ssb-conn 6.0.4, conn-scheduler.js.
/// </summary>
public sealed class AnnouncedPubs(MessageViews views, AddressBook book, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(10);

    /// <summary>Looks at once and then every ten minutes, until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        do
        {
            foreach (var pub in views.Pubs())
            {
                if (MultiserverAddress.TryParseAny($"{pub.Host}:{pub.Port}:{pub.Key}", out var address))
                {
                    book.AddFromPubMessage(address);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
