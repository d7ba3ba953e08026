using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Image;
using PiPub.Appliance.Provisioning;
using PiPub.Appliance.Updates;
using PiPub.Appliance.Usb;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Node.Sentences;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>The machine around the box, where it runs from an image: what was written on its card, its updates, what it is asked for.</summary>
internal sealed partial class BoxMachine : IAsyncDisposable
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly IReadOnlyList<CardProblem> _card;
    private readonly ImageUpdates? _updates;
    private readonly IUpdates _shown;

    public BoxMachine(PiPubOptions options, BoxStorage storage, ILoggerFactory logs, TimeProvider time)
    {
        // What the owner wrote on the card.
        _card = options.ReportsDirectory is { } reports ? ProvisioningReport.ReadProblems(reports) : [];
        var logger = logs.CreateLogger<BoxMachine>();
        foreach (var problem in _card)
        {
            OnTheCard(logger, problem.Said);
        }

        // What it is asked for, and what is put in.
        Requests = new MachineRequests(options.RequestsDirectory);
        Sticks = new UsbSticks(options.UsbDirectory);

        // New versions of the image.
        if (ImageIdentity.Read(options.ImageDirectory) is { } image)
        {
            var parts = new UpdateParts(
                image,
                new Rauc(),
                new UpdateFeed(),
                Sticks,
                Requests,
                storage.Directory.Path,
                File.ReadAllText(BootId).Trim(),
                () => HealthReport.Read(options.ReportsDirectory),
                () => storage.Directory.FreeBytes - options.MinFreeSpace);
            _updates = _closing.Add(new ImageUpdates(parts, BoxUpdates.PlanOf(options), time, logs.CreateLogger<ImageUpdates>()));
            _ = _closing.Add(new Background(_updates.RunAsync, _stopping, logger));
        }

        _shown = _updates is null ? new InstalledProgram(Box.Version) : new BoxUpdates(options, _updates);
    }

    /// <summary>What the machine is asked for.</summary>
    public MachineRequests Requests { get; }

    /// <summary>The USB sticks in it.</summary>
    public UsbSticks Sticks { get; }

    /// <summary>Whether a new version is being put in place.</summary>
    public bool IsUpdating => _updates is { State.Step: UpdateStep.Fetching or UpdateStep.Installing or UpdateStep.Restart };

    /// <summary>Whether something is wrong in the files that its owner wrote on the card.</summary>
    public bool HasCardProblems => _card.Count > 0;

    /// <summary>What lists the lights, the button and the display: the owner's file from the card, else the image's.</summary>
    public static string? HardwareFileOf(PiPubOptions options)
    {
        if (options.IsHardwareFileChosen)
        {
            return options.HardwareFile;
        }

        var fromCard = options.ReportsDirectory is { } reports ? Path.Combine(reports, HardwareFile.FileName) : null;
        return File.Exists(fromCard) ? fromCard : options.ImageDirectory is { } image ? Path.Combine(image, HardwareFile.FileName) : null;
    }

    /// <summary>Restarts the machine, or the box alone where the machine is somebody else's.</summary>
    public Action RestartBy(BoxLife life) => () =>
    {
        if (Requests.AreHeard)
        {
            Requests.Reboot();
        }
        else
        {
            life.Restart();
        }
    };

    /// <summary>Adds what the pages ask for.</summary>
    public void AddServices(IServiceCollection services) => services.AddSingleton(_shown);

    /// <summary>What is wrong around the box, each with what to do about it.</summary>
    public IEnumerable<Sentence> Problems()
    {
        foreach (var problem in _card)
        {
            yield return problem.Said;
        }

        if (_updates is { Outcome: { IsKept: false } outcome, IsOutcomeSeen: false })
        {
            yield return Sentence.Of($"The update to version {outcome.Version} did not work, so the box went back to {outcome.From} by itself. See the settings, Updates.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _stopping.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void OnTheCard(ILogger logger, Sentence problem);
}
