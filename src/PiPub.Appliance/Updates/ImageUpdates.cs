using Microsoft.Extensions.Logging;
using PiPub.Appliance.Image;
using PiPub.Appliance.Usb;

namespace PiPub.Appliance.Updates;

/// <summary>What the owner chose about updates.</summary>
/// <param name="Address">Where new versions are told of; null for nowhere.</param>
/// <param name="Every">How often it is asked.</param>
/// <param name="IsAutomatic">Whether they are installed without asking.</param>
public sealed record UpdatePlan(Uri? Address, TimeSpan Every, bool IsAutomatic);

/// <summary>What goes on.</summary>
public enum UpdateStep
{
    /// <summary>Nothing.</summary>
    Idle,

    /// <summary>New versions are asked for, and sticks are looked at.</summary>
    Looking,

    /// <summary>A bundle is fetched.</summary>
    Fetching,

    /// <summary>A bundle is checked and written.</summary>
    Installing,

    /// <summary>A new version is in place, and starts with the machine's next start.</summary>
    Restart,
}

/// <summary>How it stands with updates at one moment.</summary>
/// <param name="Step">What goes on.</param>
/// <param name="Version">The version that it goes on with; empty where there is none.</param>
/// <param name="Percent">How far.</param>
/// <param name="Refused">Why the last attempt came to nothing; null when none has.</param>
public sealed record UpdateState(UpdateStep Step, string Version = "", int Percent = 0, BundleRefusedException? Refused = null);

/// <summary>What became of the last update.</summary>
/// <param name="Version">The new version.</param>
/// <param name="From">The version before.</param>
/// <param name="IsKept">Whether it runs; else the machine went back by itself.</param>
/// <param name="Words">Why it went back; may be empty.</param>
/// <param name="At">When it was written.</param>
public sealed record UpdateOutcome(string Version, string From, bool IsKept, string Words, DateTimeOffset At);

/// <summary>The parts that updating an image takes.</summary>
/// <param name="Image">What runs.</param>
/// <param name="Rauc">Checks and writes.</param>
/// <param name="Feed">Tells of new versions.</param>
/// <param name="Sticks">Bring some.</param>
/// <param name="Requests">Restarts the machine.</param>
/// <param name="Directory">The data directory.</param>
/// <param name="Boot">Which start of the machine this is.</param>
/// <param name="Health">What the image noted down about a version that was not well.</param>
/// <param name="FreeBytes">Room for a bundle.</param>
public sealed record UpdateParts(
    ImageIdentity Image, Rauc Rauc, UpdateFeed Feed, UsbSticks Sticks, MachineRequests Requests, string Directory, string Boot, Func<HealthReport?> Health, Func<long> FreeBytes);

/// <summary>
/// Keeps the image up to date: asks for new versions, has RAUC write the newer one to the slot that the machine does not run from,
/// and starts it, by itself at night. The image keeps it only when the box is well with it; else the machine goes back, and
/// here it is told why.
/// </summary>
public sealed partial class ImageUpdates : IDisposable
{
    /// <summary>The directory for what is fetched, in the data directory.</summary>
    public const string FetchDirectory = "updates";

    private const string FetchedName = "update.raucb";
    private const int QuietFrom = 2;
    private const int QuietHours = 3;

    // A box that starts has better things to do, and many may start when the power comes back.
    private static readonly TimeSpan FirstLook = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromHours(1);
    private static readonly TimeSpan AnswerFirst = TimeSpan.FromSeconds(3);

    private readonly UpdateParts _parts;
    private readonly UpdateJournal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _one = new(1);
    private volatile UpdateState _state = new(UpdateStep.Idle);
    private volatile IReadOnlyList<UpdateOffer> _offers = [];
    private volatile UpdatePlan _plan;
    private volatile bool _isByOwner;

    /// <summary>Looks what became of the last update.</summary>
    /// <param name="parts">What it takes.</param>
    /// <param name="plan">What the owner chose.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of every update.</param>
    public ImageUpdates(UpdateParts parts, UpdatePlan plan, TimeProvider time, ILogger<ImageUpdates> logger)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_parts, _plan, _time, _logger) = (parts, plan, time, logger);
        _journal = UpdateJournal.Open(parts.Directory);
        Outcome = Settle();
    }

    /// <summary>Raised, on whatever thread, when something is different.</summary>
    public event Action? Changed;

    /// <summary>What runs.</summary>
    public ImageIdentity Image => _parts.Image;

    /// <summary>How it stands.</summary>
    public UpdateState State => _state;

    /// <summary>What was found at the last look.</summary>
    public IReadOnlyList<UpdateOffer> Offers => _offers;

    /// <summary>What became of the last update; null when there was none.</summary>
    public UpdateOutcome? Outcome { get; }

    /// <summary>Whether the owner has seen that.</summary>
    public bool IsOutcomeSeen => Outcome is null || _journal.IsSeen;

    /// <summary>When new versions were asked for last.</summary>
    public DateTimeOffset? LastLook => _journal.LastLook;

    /// <summary>When the machine restarts by itself into what was installed; null when it does not.</summary>
    public DateTimeOffset? RestartAt => _state.Step == UpdateStep.Restart && !_isByOwner ? NextQuiet() : null;

    /// <summary>What the owner chose.</summary>
    public UpdatePlan Plan
    {
        get => _plan;
        set
        {
            _plan = value;
            Changed?.Invoke();
        }
    }

    /// <summary>The two slots, as RAUC tells.</summary>
    public Task<IReadOnlyList<SystemSlot>> SlotsAsync(CancellationToken cancellationToken) => _parts.Rauc.SlotsAsync(cancellationToken);

    /// <summary>The owner has seen what became of the last update.</summary>
    public void Acknowledge()
    {
        Remember(_journal.Seen);
        Changed?.Invoke();
    }

    /// <summary>Asks for new versions as often as the owner chose, and installs them when they are to come by themselves.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(FirstLook, _time, cancellationToken);
        while (true)
        {
            if (RestartAt is { } restart)
            {
                await Task.Delay(Soon(restart - _time.GetUtcNow()), _time, cancellationToken);
                if (_time.GetUtcNow() >= restart)
                {
                    RestartMachine();
                    await Task.Delay(LookAgain, _time, cancellationToken);
                }

                continue;
            }

            if (_state.Step == UpdateStep.Idle && _plan.Address is not null && IsDue())
            {
                await LookAsync(cancellationToken);
                if (_plan.IsAutomatic && Newest() is { } newest && !_journal.Failed.Contains(newest.Version, StringComparer.Ordinal))
                {
                    await InstallAsync(newest, isByOwner: false, cancellationToken);
                    continue;
                }
            }

            await Task.Delay(LookAgain, _time, cancellationToken);
        }
    }

    /// <summary>Asks for new versions now, and looks at the sticks.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_state.Step == UpdateStep.Restart || !await _one.WaitAsync(0, cancellationToken))
        {
            return;
        }

        BundleRefusedException? refused = null;
        try
        {
            Become(new UpdateState(UpdateStep.Looking));
            var offers = new List<UpdateOffer>();
            foreach (var bundle in _parts.Sticks.Bundles())
            {
                offers.Add(await OnStickAsync(bundle, cancellationToken));
            }

            if (_plan.Address is { } address)
            {
                try
                {
                    if (await _parts.Feed.AskAsync(address, Image.Board, cancellationToken) is { } offer && IsNewer(offer.Version))
                    {
                        offers.Add(offer);
                    }
                }
                catch (BundleRefusedException e)
                {
                    refused = e;
                    NotAsked(e.Message);
                }

                Remember(() => _journal.Looked(_time.GetUtcNow()));
            }

            _offers = offers;
        }
        finally
        {
            _one.Release();
            Become(new UpdateState(UpdateStep.Idle, Refused: refused));
        }
    }

    /// <summary>Installs what was offered. What goes wrong is told by <see cref="State"/>.</summary>
    /// <param name="offer">One of <see cref="Offers"/>.</param>
    /// <param name="isByOwner">Whether the owner pressed for it: then the machine restarts at once, else at night.</param>
    /// <param name="cancellationToken">Gives up, as long as nothing is written.</param>
    public async Task InstallAsync(UpdateOffer offer, bool isByOwner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offer);
        if (_state.Step == UpdateStep.Restart || !await _one.WaitAsync(0, cancellationToken))
        {
            return;
        }

        var fetched = Path.Combine(_parts.Directory, FetchDirectory, FetchedName);
        try
        {
            Installing(offer.Version, offer.Path ?? offer.Address!.ToString());
            var bundle = offer.Path ?? await FetchAsync(offer, fetched, cancellationToken);
            Become(new UpdateState(UpdateStep.Installing, offer.Version));
            var info = await CheckedAsync(bundle, cancellationToken);
            await _parts.Rauc.InstallAsync(bundle, Steps(UpdateStep.Installing, info.Version), cancellationToken);
            _isByOwner = isByOwner;
            Remember(() => _journal.Note(new InstalledUpdate(info.Version, Image.Version, _parts.Boot, _time.GetUtcNow())));
            Become(new UpdateState(UpdateStep.Restart, info.Version, 100));
            Installed(info.Version);
        }
        catch (Exception e) when (e is BundleRefusedException or IOException or UnauthorizedAccessException)
        {
            var refused = e as BundleRefusedException ?? new BundleRefusedException(e.Message, e);
            NotInstalled(offer.Version, refused.Refusal, refused.Message);
            Become(new UpdateState(UpdateStep.Idle, offer.Version, Refused: refused));
            // What was refused once for what it is will be so again; what could not be fetched may come another time.
            if (!isByOwner && refused.Refusal is not (BundleRefusal.NotFetched or BundleRefusal.NoRoom))
            {
                Remember(() => _journal.NoteFailed(offer.Version));
            }
        }
        catch
        {
            Become(new UpdateState(UpdateStep.Idle));
            throw;
        }
        finally
        {
            _one.Release();
            if (File.Exists(fetched))
            {
                File.Delete(fetched);
            }
        }

        if (isByOwner && _state.Step == UpdateStep.Restart)
        {
            // Whoever pressed shall still see it.
            await Task.Delay(AnswerFirst, _time, cancellationToken);
            RestartMachine();
        }
    }

    /// <summary>Restarts the machine into what was installed.</summary>
    public void RestartMachine()
    {
        try
        {
            _parts.Requests.Reboot();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotInstalled(_state.Version, BundleRefusal.Other, e.Message);
            Become(_state with { Refused = new BundleRefusedException($"The machine could not be asked to restart: {e.Message} Pull its plug for a moment.", e) });
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private UpdateOutcome? Settle()
    {
        if (_journal.Installed is not { } installed)
        {
            return null;
        }

        if (installed.Boot == _parts.Boot)
        {
            _state = new UpdateState(UpdateStep.Restart, installed.Version, 100);
            return null;
        }

        if (installed.Version == Image.Version)
        {
            if (!_journal.IsSeen)
            {
                Updated(installed.From, installed.Version);
            }

            return new UpdateOutcome(installed.Version, installed.From, true, "", installed.At);
        }

        if (installed.From != Image.Version)
        {
            // Somebody wrote another image to the card.
            return null;
        }

        var words = _parts.Health() is { } health && health.Version == installed.Version ? health.Words : "";
        Remember(() => _journal.NoteFailed(installed.Version));
        FellBack(installed.Version, installed.From, words);
        return new UpdateOutcome(installed.Version, installed.From, false, words, installed.At);
    }

    private async Task<string> FetchAsync(UpdateOffer offer, string path, CancellationToken cancellationToken)
    {
        if (_parts.FreeBytes() < offer.Size)
        {
            throw new BundleRefusedException(BundleRefusal.NoRoom, $"The bundle has {offer.Size} bytes, and there is room for {Math.Max(0, _parts.FreeBytes())}.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Become(new UpdateState(UpdateStep.Fetching, offer.Version));
        await _parts.Feed.FetchAsync(offer, path, Steps(UpdateStep.Fetching, offer.Version), cancellationToken);
        return path;
    }

    private async Task<UpdateOffer> OnStickAsync(string bundle, CancellationToken cancellationToken)
    {
        var size = new FileInfo(bundle) is { Exists: true } file ? file.Length : 0;
        try
        {
            var info = await CheckedAsync(bundle, cancellationToken);
            return new UpdateOffer(info.Version, info.Description, bundle, null, size);
        }
        catch (Exception e) when (e is BundleRefusedException or IOException)
        {
            return new UpdateOffer(Path.GetFileName(bundle), "", bundle, null, size) { Refused = e as BundleRefusedException ?? new BundleRefusedException(e.Message, e) };
        }
    }

    /// <summary>RAUC would install an older version, too; and it looks at the board only once all else is done.</summary>
    private async Task<BundleInfo> CheckedAsync(string bundle, CancellationToken cancellationToken)
    {
        var info = await _parts.Rauc.InfoAsync(bundle, cancellationToken);
        if (info.Compatible != Image.Compatible)
        {
            throw new BundleRefusedException(BundleRefusal.WrongBoard, $"The bundle is for {info.Compatible}, and this machine is {Image.Compatible}.");
        }

        return IsNewer(info.Version) ? info : throw new BundleRefusedException(BundleRefusal.Downgrade, $"The bundle has version {info.Version}, and {Image.Version} runs already.");
    }

    private bool IsNewer(string version) => VersionOrder.Compare(version, Image.Version) > 0;

    private UpdateOffer? Newest() => _offers.Where(static offer => !offer.IsOnStick).MaxBy(static offer => offer.Version, Comparer<string>.Create(VersionOrder.Compare));

    // A clock that was far ahead once must not put it off for years.
    private bool IsDue() => _journal.LastLook is not { } last || last > _time.GetUtcNow() || last + _plan.Every <= _time.GetUtcNow();

    private static TimeSpan Soon(TimeSpan wait) => wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < LookAgain ? wait : LookAgain;

    /// <summary>Now, when it is night; else the next night, each box at a minute of its own.</summary>
    private DateTimeOffset NextQuiet()
    {
        var now = TimeZoneInfo.ConvertTime(_time.GetUtcNow(), _time.LocalTimeZone);
        var minute = (int)((uint)StringComparer.Ordinal.GetHashCode(_parts.Boot) % 60);
        var tonight = new DateTimeOffset(now.Date.AddHours(QuietFrom).AddMinutes(minute), now.Offset);
        return now < tonight ? tonight : now < tonight.AddHours(QuietHours) ? now : tonight.AddDays(1);
    }

    private Percentage Steps(UpdateStep step, string version) => new(this, step, version);

    private void Become(UpdateState state)
    {
        _state = state;
        Changed?.Invoke();
    }

    private void Remember(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotNoted(e.Message);
        }
    }

    /// <summary>Tells whole percents, once each.</summary>
    private sealed class Percentage(ImageUpdates updates, UpdateStep step, string version) : IProgress<int>
    {
        private int _last = -1;

        public void Report(int value)
        {
            if (value != _last)
            {
                _last = value;
                updates.Become(new UpdateState(step, version, value));
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Version {Version} of the image is being installed from {Place}.")]
    private partial void Installing(string version, string place);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Version {Version} of the image is in place; it starts with the machine's next start.")]
    private partial void Installed(string version);

    [LoggerMessage(Level = LogLevel.Error, Message = "Version {Version} of the image was not installed ({Refusal}): {Words}")]
    private partial void NotInstalled(string version, BundleRefusal refusal, string words);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The image was updated from {From} to {Version}.")]
    private partial void Updated(string from, string version);

    [LoggerMessage(Level = LogLevel.Error, Message = "Version {Version} of the image did not work, and the machine went back to {From}. {Words}")]
    private partial void FellBack(string version, string from, string words);

    [LoggerMessage(Level = LogLevel.Warning, Message = "New versions could not be asked for. {Words}")]
    private partial void NotAsked(string words);

    [LoggerMessage(Level = LogLevel.Error, Message = "It could not be noted down how it stands with updates: {Words}")]
    private partial void NotNoted(string words);
}
