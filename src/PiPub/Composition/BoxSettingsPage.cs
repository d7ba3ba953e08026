using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PiPub.Appliance.Network;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Support;
using PiPub.Web.Restart;
using PiPub.Web.Settings;
using PiPub.Web.Setup;

namespace PiPub.Composition;

/// <summary>What the settings page shows and changes.</summary>
internal sealed class BoxSettingsPage : IDisposable
{
    private readonly Action<IServiceCollection> _add;
    private readonly AddressTrial? _trial;

    public BoxSettingsPage(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, BoxMachine machine, BoxLife life, ILoggerFactory logs, TimeProvider time)
    {
        _trial = options.NetworkDirectory is { } directory ? new AddressTrial(directory, new Networkctl(), time, logs.CreateLogger<AddressTrial>()) : null;
        _add = services => services
            .AddSingleton<IBoxSettings>(new BoxSettings(options, storage.Identity.Id, node.Publisher, node.Replication))
            .AddSingleton<IBoxLimits>(new BoxLimitSettings(options, storage, node))
            .AddSingleton<INetworkSettings>(new BoxNetworkSettings(options, node, networks))
            .AddSingleton<IMachineAddress>(new BoxMachineAddress(() => networks.Present, _trial))
            .AddSingleton(life.Log)
            .AddSingleton<ISupportBundle>(new SupportBundle(options, storage, node, networks, life.Log, time))
            .AddSingleton<IBoxLife>(life)
            .AddSingleton<IFactoryReset>(new StagedFactoryReset(options, life, machine.Requests));
    }

    /// <summary>Adds what the page asks for.</summary>
    public void AddServices(IServiceCollection services) => _add(services);

    /// <summary>Goes back from what was left on trial when the box ended.</summary>
    public Task RecoverAsync() => _trial?.RecoverAsync() ?? Task.CompletedTask;

    public void Dispose() => _trial?.Dispose();
}
