using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.Pages;

namespace PiPub.Composition;

/// <summary>
/// A running box: what it keeps, the node that works with it, and what listens to the world, brought to life in this order
/// and taken down in the reverse one.
/// </summary>
public sealed class Box : IAsyncDisposable
{
    private readonly Closing _closing = new();
    private readonly InviteAddresses _addresses;

    private Box(BoxStorage storage, BoxAddresses addresses)
    {
        Storage = storage;
        Addresses = addresses;
        _addresses = new InviteAddresses(addresses.Current);
    }

    /// <summary>The box's own identity.</summary>
    public FeedId Id => Storage.Identity.Id;

    /// <summary>The port that peers reach.</summary>
    public int SsbPort => Addresses.SsbPort;

    /// <summary>The port of HTTP and WebSocket.</summary>
    public int WebPort => Addresses.WebPort;

    /// <summary>The multiserver addresses, the best first.</summary>
    public IReadOnlyList<string> MultiserverAddresses => [.. _addresses.AddressOf(Id, null)?.Split(';') ?? []];

    private BoxStorage Storage { get; }

    private BoxAddresses Addresses { get; }

    /// <summary>Brings a box to life; when this returns, it listens.</summary>
    /// <exception cref="IOException">The data directory or a port cannot be used; the message is for a person.</exception>
    /// <exception cref="InvalidDataException">What is kept there is damaged; the message is for a person.</exception>
    public static async Task<Box> StartAsync(PiPubOptions options, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var storage = await BoxStorage.OpenAsync(options);
        var box = new Box(storage, new BoxAddresses(options));
        try
        {
            box._closing.Add(storage);
            var web = box._closing.Add(new BoxWeb(
                options,
                connection => Task.CompletedTask,
                app => app.MapStatusPage(() => new BoxDescription(null, box.Id, box.MultiserverAddresses)),
                logs));
            await web.StartAsync(cancellationToken);
            (box.Addresses.SsbPort, box.Addresses.WebPort) = (web.SsbPort, web.WebPort);
            return box;
        }
        catch
        {
            await box.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops in order: nobody comes in, work ends, everything is written down.</summary>
    public ValueTask DisposeAsync() => _closing.DisposeAsync();
}
