using Microsoft.Extensions.Logging;
using PiPub.Appliance.Button;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Lights;

namespace PiPub.Composition;

/// <summary>What the box's lights and its display show, and what its button does.</summary>
internal sealed class BoxLights : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BetweenFlashes = TimeSpan.FromMilliseconds(120);

    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Box _box;
    private readonly WiredHardware _hardware;
    private readonly BoxMachine _machine;
    private readonly BoxDoors _doors;
    private readonly BoxFace _face;
    private readonly BoxNetworks _networks;
    private readonly TimeProvider _time;

    public BoxLights(Box box, WiredHardware hardware, BoxStorage storage, BoxMachine machine, BoxDoors doors, BoxFace face, BoxNetworks networks, ButtonActions actions, ILoggerFactory logs, TimeProvider time)
    {
        (_box, _hardware, _machine, _doors, _face, _networks, _time) = (box, hardware, machine, doors, face, networks, time);
        if (hardware.Button is { } button)
        {
            _ = _closing.Add(new ButtonPresses(button, hardware.Lights, actions with { Claim = actions.Claim + Look }, time, logs.CreateLogger<ButtonPresses>()));
        }

        // Where nothing is wired, nothing wakes up.
        if (hardware.Lights.Count > 0 || hardware.Panels.Count > 0)
        {
            _ = _closing.Add(new Background(LookAsync, _stopping, logs.CreateLogger<BoxLights>()));
        }

        if (hardware.Lights.HasActivity)
        {
            _ = _closing.Add(new Background(stop => FlashAsync(storage, stop), _stopping, logs.CreateLogger<BoxLights>()));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _hardware.Lights.Show(LightState.Starting);
        _stopping.Dispose();
    }

    private async Task LookAsync(CancellationToken stop)
    {
        while (true)
        {
            Look();
            await Task.Delay(LookEvery, _time, stop);
        }
    }

    private void Look()
    {
        var state = State();
        _hardware.Lights.Show(state);
        _hardware.Show(Lines(state));
    }

    private LightState State() =>
        _machine.IsUpdating ? LightState.Updating
        : _box.Health.LastProblem is not null ? LightState.Failed
        // What is wrong on the card may be why nobody comes by to claim it.
        : _machine.HasCardProblems ? LightState.NeedsAttention
        : !_doors.Access.IsClaimed ? LightState.NeedsSetUp
        : _face.HasProblems ? LightState.NeedsAttention
        : _face.IsSyncing ? LightState.Syncing
        : LightState.Running;

    private List<string> Lines(LightState state)
    {
        var port = _box.WebPort == 80 ? "" : $":{_box.WebPort}";
        List<string> lines = ["PiPub", ""];
        if (_box.HostName is { } name)
        {
            lines.Add(name + port);
        }

        if (_networks.Addresses().FirstOrDefault(static address => !address.Contains(':')) is { } address)
        {
            lines.Add(address + port);
        }

        lines.Add("");
        if (_box.ClaimCode is { } code)
        {
            lines.Add("Code " + code);
        }

        lines.Add(state switch
        {
            LightState.NeedsSetUp => "Open the page above",
            LightState.NeedsAttention => "See the page: problem",
            LightState.Syncing => "Fetching messages",
            LightState.Updating => "Updating",
            LightState.Failed => "Something is broken",
            _ => "Running",
        });
        return lines;
    }

    private async Task FlashAsync(BoxStorage storage, CancellationToken stop)
    {
        while (true)
        {
            await storage.Messages.WaitBeyondAsync(storage.Messages.End, stop);
            _hardware.Lights.Flash();
            await Task.Delay(BetweenFlashes, _time, stop);
        }
    }
}
