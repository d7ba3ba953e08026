using PiPub.Configuration;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>How the box is found and reached, as its owner changes it on the pages.</summary>
internal sealed class BoxNetworkSettings(PiPubOptions options, BoxNode node, BoxNetworks networks) : INetworkSettings
{
    private readonly NetworkWishes _inForce = Of(options);
    private NetworkWishes _current = Of(options);

    public NetworkWishes Current => _current;

    public string? NameNow => node.HostName();

    public bool NeedsRestart => _current.MapPort != _inForce.MapPort || _current.Discovery != _inForce.Discovery || !_current.PublicHosts.SequenceEqual(_inForce.PublicHosts);

    public void Set(NetworkWishes wishes)
    {
        var changes = new List<(string Key, string Value)>();
        Note("host-name", _current.HostName, wishes.HostName);
        Note("public-host", string.Join(", ", _current.PublicHosts), string.Join(", ", wishes.PublicHosts));
        Note("map-port", Switch(_current.MapPort), Switch(wishes.MapPort));
        Note("discovery", Switch(_current.Discovery), Switch(wishes.Discovery));
        if (changes.Count == 0)
        {
            return;
        }

        WrittenConfiguration.Write(options, [.. changes]);
        if (wishes.HostName != _current.HostName)
        {
            options.HostName = wishes.HostName;
            networks.Rename();
        }

        _current = wishes;

        void Note(string key, string old, string now)
        {
            if (now != old)
            {
                changes.Add((key, now));
            }
        }
    }

    private static string Switch(bool isOn) => isOn ? "on" : "off";

    private static NetworkWishes Of(PiPubOptions options) => new(options.HostName, options.PublicHosts, options.MapPort, options.Discovery);
}
