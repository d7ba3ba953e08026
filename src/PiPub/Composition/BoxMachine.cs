using Microsoft.Extensions.Logging;
using PiPub.Appliance.Image;
using PiPub.Appliance.Provisioning;
using PiPub.Configuration;

namespace PiPub.Composition;

/// <summary>The machine around the box, where it runs from an image: what was written on its card, what it is asked for.</summary>
internal sealed partial class BoxMachine
{
    private readonly IReadOnlyList<CardProblem> _card;

    public BoxMachine(PiPubOptions options, ILoggerFactory logs)
    {
        Requests = new MachineRequests(options.RequestsDirectory);
        _card = options.ReportsDirectory is { } reports ? ProvisioningReport.ReadProblems(reports) : [];
        var logger = logs.CreateLogger<BoxMachine>();
        foreach (var problem in _card)
        {
            OnTheCard(logger, problem.Sentence);
        }
    }

    /// <summary>What the machine is asked for.</summary>
    public MachineRequests Requests { get; }

    /// <summary>What is wrong around the box, each with what to do about it.</summary>
    public IEnumerable<string> Problems() => _card.Select(static problem => problem.Sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void OnTheCard(ILogger logger, string problem);
}
