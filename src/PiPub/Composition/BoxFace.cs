using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Configuration;
using PiPub.Node.Invites;
using PiPub.Node.Profiles;
using PiPub.Node.Sentences;
using PiPub.Storage;
using PiPub.Web.Access;
using PiPub.Web.Dashboard;
using PiPub.Web.Import;
using PiPub.Web.Invites;
using PiPub.Web.People;
using PiPub.Web.Shell;

namespace PiPub.Composition;

/// <summary>What the pages know of the box and may do with it.</summary>
internal sealed class BoxFace(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, BoxDoors doors, BoxBackups backups, InviteAddresses addresses, BoxSettingsPage settings, BoxMachine machine, ProblemHistory history, TimeProvider time)
{
    private const string ThermalZone = "/sys/class/thermal/thermal_zone0/temp";
    private static readonly TimeSpan FeedsPause = TimeSpan.FromSeconds(10);

    private readonly long _startedAt = time.GetTimestamp();
    private readonly FetchPace _pace = new(time);
    private (long Behind, long At)? _behind;

    /// <summary>The invite with which the owner's own app comes in.</summary>
    public OwnerInvite OwnerInvite { get; } = new(node.Invitations, addresses, storage.Identity.Id);

    /// <summary>Whether something is wrong.</summary>
    public bool HasProblems => Problems().Any();

    /// <summary>Whether peers have told of messages that are not here yet.</summary>
    public bool IsSyncing => Behind() > 0;

    /// <summary>Adds what the pages ask for.</summary>
    public void AddServices(IServiceCollection services)
    {
        services.AddFace(Directory.CreateDirectory(Path.Combine(storage.Directory.Path, "keys"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        doors.AddServices(services);
        backups.AddServices(services);
        services.AddSingleton(new HostNames(Names));
        services.AddSingleton(new BoxPulse(Read, time));
        var profiles = new Profiles(storage.Views, storage.Identity.Id, time);
        services.AddSingleton(profiles);
        services.AddSingleton(new PeopleList(node.Graph, node.Replication, profiles, node.Feeds, node.Owner, node.Invitations));
        services.AddSingleton(new PeerTies(node.Graph, node.Replication, node.Owner));
        services.AddSingleton(node.Contacts);
        services.AddSingleton(node.OwnFeed);
        services.AddSingleton(node.Replication);
        services.AddSingleton<IBlobStore>(storage.Blobs);
        services.AddSingleton(node.Invitations);
        services.AddSingleton(OwnerInvite);
        services.AddSingleton(networks.Reach);
        services.AddSingleton(node.Importer);
        services.AddSingleton(new UploadDesk(Path.Combine(storage.Directory.Path, "uploads"), () => storage.Directory.FreeBytes - options.MinFreeSpace, time));
        services.AddSingleton(new ImportShelf(options.ImportDirectory ?? Path.Combine(storage.Directory.Path, "import"), options.UsbDirectory is null ? null : machine.Sticks.All));
        settings.AddServices(services);
        machine.AddServices(services);
        services.AddSingleton(time);
    }

    private IEnumerable<string> Names()
    {
        yield return options.HostName + ".local";
        if (node.HostName() is { } name)
        {
            yield return name;
        }

        foreach (var host in options.PublicHosts)
        {
            yield return host;
        }
    }

    private BoxSnapshot Read()
    {
        var reach = networks.Reach();
        List<Sentence> problems = [.. Problems()];
        history.Note(problems);
        var (messages, behind) = (storage.Messages.MessageCount, Behind());
        return new BoxSnapshot
        {
            Id = storage.Identity.Id,
            Owner = node.Owner.Owner,
            HostName = node.HostName(),
            Feeds = storage.Messages.FeedCount,
            Messages = messages,
            MessagesBehind = behind,
            FetchTime = _pace.Read(messages, behind),
            MessageBytes = storage.Log.End,
            BlobBytes = storage.Blobs.TotalBytes,
            BlobQuota = options.BlobQuota,
            FreeBytes = storage.Directory.FreeBytes,
            Peers = node.Peers.Snapshot(),
            IsReachable = reach.IsReachable,
            Reachability = reach.Summary,
            ReachabilityAdvice = reach.Advice,
            Uptime = time.GetElapsedTime(_startedAt),
            Temperature = Temperature(),
            Version = Box.Version,
            IsRecovering = node.OwnFeed.IsRecovering,
            Backups = backups.Notes.All(),
            Problems = problems,
            LastProblems = history.All(),
        };
    }

    /// <summary>Looks for problems while no page is open, so that those of the night are known in the morning.</summary>
    public void NoteProblems()
    {
        try
        {
            history.Note([.. Problems()]);
        }
        catch (IOException e)
        {
            // The disk itself does not answer.
            history.Happened(Sentence.From(e));
        }
    }

    private IEnumerable<Sentence> Problems()
    {
        if (!node.OwnFeed.MayPublish(out var why))
        {
            yield return why;
        }

        if (storage.Views.Failure is { } failure)
        {
            yield return Sentence.From(failure);
        }

        if (storage.Directory.FreeBytes < options.MinFreeSpace)
        {
            yield return Sentence.Of($"The disk is nearly full: no more pictures and files are fetched. Delete something else on it, or lower the room for blobs.");
        }

        foreach (var problem in machine.Problems())
        {
            yield return problem;
        }
    }

    /// <summary>Messages told of and not here, counted now and then: a box may keep ten thousand feeds.</summary>
    private long Behind()
    {
        if (_behind is { } known && time.GetElapsedTime(known.At) < FeedsPause)
        {
            return known.Behind;
        }

        var behind = node.Feeds.MessagesBehind();
        _behind = (behind, time.GetTimestamp());
        return behind;
    }

    private static double? Temperature()
    {
        try
        {
            return int.TryParse(File.ReadAllText(ThermalZone), NumberStyles.AllowLeadingSign | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var thousandths) ? thousandths / 1000.0 : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
