using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using PiPub.Node.Sentences;
using PiPub.Storage.Disk;

namespace PiPub.Appliance.Network;

/// <summary>An address that is being tried.</summary>
/// <param name="Network">The interface.</param>
/// <param name="Address">The fixed address; null when the router gives one (DHCP).</param>
/// <param name="Until">When the box goes back by itself.</param>
public sealed record TriedAddress(string Network, IPAddress? Address, DateTimeOffset Until);

/// <summary>
/// Changes the machine's address on trial: whoever changed it has two minutes to come by the new one and confirm it, or the box
/// goes back to what was before. A pulled plug, a crash and a restart go back, too: what was before lies on the disk meanwhile.
/// </summary>
public sealed partial class AddressTrial : IDisposable
{
    /// <summary>The time for confirming.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(2);

    // Not .network: systemd-networkd passes them over.
    private const string BeforeSuffix = ".before";
    private const string NothingBefore = "# There was no such file.\n";

    private readonly string _directory;
    private readonly Networkctl _networkctl;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly ITimer _timer;
    private volatile TriedAddress? _tried;

    /// <summary>Prepares.</summary>
    /// <param name="directory">Where systemd-networkd reads its files, such as /etc/systemd/network.</param>
    /// <param name="networkctl">Has it read them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of every change.</param>
    public AddressTrial(string directory, Networkctl networkctl, TimeProvider time, ILogger<AddressTrial> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_directory, _networkctl, _time, _logger) = (directory, networkctl, time, logger);
        _timer = time.CreateTimer(_ => _ = GoBackAsync("nobody confirmed it"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The address on trial; null while none is.</summary>
    public TriedAddress? Tried => _tried;

    /// <summary>The fixed address of an interface; null when it has none from here.</summary>
    public FixedAddress? FixedAddressOf(string network) => NetworkFile.Read(NetworkFile.PathFor(_directory, network));

    /// <summary>Goes back from a trial that was under way when the box ended. To be called once, at the start.</summary>
    public Task RecoverAsync() => Directory.Exists(_directory) && Directory.EnumerateFiles(_directory, "10-pipub-*" + BeforeSuffix).Any()
        ? GoBackAsync("the box ended before somebody confirmed it")
        : Task.CompletedTask;

    /// <summary>Begins a trial.</summary>
    /// <param name="network">The interface.</param>
    /// <param name="address">The address; null to have the router give one.</param>
    /// <param name="cancellationToken">Gives up before anything is changed.</param>
    /// <exception cref="RefusedException">A trial is under way already.</exception>
    /// <exception cref="IOException">It cannot be done, and all is as before; the message is for a person.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public async Task BeginAsync(string network, FixedAddress? address, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_tried is not null)
            {
                throw new RefusedException(Sentence.Of($"Another address is being tried. Confirm that one first, or wait two minutes."));
            }

            var file = NetworkFile.PathFor(_directory, network);
            Write(file + BeforeSuffix, File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : NothingBefore);
            try
            {
                Set(file, address is null ? null : NetworkFile.Format(network, address));
                await _networkctl.ReloadAsync(CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await RestoreAsync();
                throw;
            }

            _tried = new TriedAddress(network, address?.Address, _time.GetUtcNow() + Length);
            _timer.Change(Length, Timeout.InfiniteTimeSpan);
            Trying(network, address?.Address.ToString() ?? "what the router gives");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Keeps the address on trial. False when none is, or when the caller did not come by it.</summary>
    /// <param name="reachedAt">The address of this machine at which whoever confirms has reached it.</param>
    public async Task<bool> ConfirmAsync(IPAddress? reachedAt)
    {
        await _gate.WaitAsync();
        try
        {
            reachedAt = reachedAt is { IsIPv4MappedToIPv6: true } ? reachedAt.MapToIPv4() : reachedAt;
            if (_tried is not { } tried || reachedAt is null || IPAddress.IsLoopback(reachedAt) || (tried.Address is { } address && !address.Equals(reachedAt)))
            {
                return false;
            }

            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            File.Delete(NetworkFile.PathFor(_directory, tried.Network) + BeforeSuffix);
            FileSync.Directory(_directory);
            _tried = null;
            Kept(tried.Network, tried.Address?.ToString() ?? "what the router gives");
            return true;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Ends the trial, and with it the new address.</summary>
    public Task TakeBackAsync() => GoBackAsync("it was taken back");

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private async Task GoBackAsync(string why)
    {
        await _gate.WaitAsync();
        try
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _tried = null;
            await RestoreAsync();
            WentBack(why);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotBack(e);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task RestoreAsync()
    {
        foreach (var before in Directory.GetFiles(_directory, "10-pipub-*" + BeforeSuffix))
        {
            var text = await File.ReadAllTextAsync(before);
            Set(before[..^BeforeSuffix.Length], text == NothingBefore ? null : text);
        }

        await _networkctl.ReloadAsync(CancellationToken.None);
        // Only now: until networkd has read it, another attempt must find it.
        foreach (var before in Directory.GetFiles(_directory, "10-pipub-*" + BeforeSuffix))
        {
            File.Delete(before);
        }

        FileSync.Directory(_directory);
    }

    private void Set(string file, string? text)
    {
        if (text is not null)
        {
            Write(file, text);
        }
        else
        {
            File.Delete(file);
            FileSync.Directory(_directory);
        }
    }

    /// <summary>Readable by everybody: systemd-networkd runs as a user of its own.</summary>
    private static void Write(string path, string text) => FileSync.Replace(
        path, Encoding.UTF8.GetBytes(text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The address of {Network} is now {Address}, for two minutes unless it is confirmed.")]
    private partial void Trying(string network, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The address of {Network} stays {Address}.")]
    private partial void Kept(string network, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The machine's address is again what it was before: {Why}.")]
    private partial void WentBack(string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The machine's address could not be put back. It is tried again at the next start.")]
    private partial void NotBack(Exception e);
}
