using Microsoft.Extensions.Logging;
using PiPub.Composition;
using PiPub.Configuration;
using PiPub.Node.Sentences;
using PiPub.Storage.Disk;
using PiPub.Web.Dashboard;
using PiPub.Web.Logs;
using PiPub.Web.Restart;

namespace PiPub.Lives;

/// <summary>
/// One life of the box after another in the same process: what outlasts each of them, and how the next one begins.
/// </summary>
/// <param name="read">Reads the configuration anew.</param>
internal sealed partial class BoxLife(Func<PiPubOptions> read) : IBoxLife
{
    /// <summary>So long an answer to whoever asked for the restart may take on its way.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<DirectoryInfo, CancellationToken, Task>? _meanwhile;
    private bool _isEnding;
    private int _ssbPort;
    private int _webPort;
    private int _httpsPort;

    /// <summary>The last lines of the log, of all lives.</summary>
    public RecentLog Log { get; } = new(TimeProvider.System);

    /// <summary>The last problems, of all lives.</summary>
    public ProblemHistory Problems { get; } = new(TimeProvider.System);

    /// <summary>Completes when this life shall end and another begin.</summary>
    public Task Ending => _ending.Task;

    /// <summary>The configuration for the next life. Where any free port was taken, it is kept: pages and peers come back to it.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public PiPubOptions ReadOptions()
    {
        var options = read();
        options.SsbPort = options.SsbPort == 0 ? _ssbPort : options.SsbPort;
        options.WebPort = options.WebPort == 0 ? _webPort : options.WebPort;
        options.HttpsPort = options.HttpsPort == 0 ? _httpsPort : options.HttpsPort;
        return options;
    }

    /// <summary>Puts in place what was prepared to be at the next start: it may bring a configuration of its own.</summary>
    /// <exception cref="IOException">The data directory cannot be used.</exception>
    public PiPubOptions ReplaceAndReadOptions()
    {
        var options = ReadOptions();
        if (!DataReplacement.IsPending(options.DataDirectory))
        {
            return options;
        }

        using (var directory = DataDirectory.Open(options.DataDirectory, reserveBytes: 0))
        {
            _ = DataReplacement.Complete(directory, configurationFile: options.ConfigurationFile);
        }

        return ReadOptions();
    }

    /// <summary>Notes that a life has begun.</summary>
    public void Began(Box box) => (_ssbPort, _webPort, _httpsPort) = (box.SsbPort, box.WebPort, box.HttpsPort ?? 0);

    /// <inheritdoc/>
    public void Restart(Func<DirectoryInfo, CancellationToken, Task>? meanwhile = null) => Begin(static () => { }, meanwhile);

    /// <summary>The same for what is noted down on the disk: <paramref name="stage"/> is done if and only if the restart follows.</summary>
    public void Restart(Action stage) => Begin(stage, meanwhile: null);

    /// <summary>Does what was asked for between two lives. Nothing that goes wrong with it keeps the box from starting.</summary>
    public async Task BetweenAsync(PiPubOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        Func<DirectoryInfo, CancellationToken, Task>? meanwhile;
        lock (_gate)
        {
            (meanwhile, _meanwhile, _isEnding) = (_meanwhile, null, false);
            _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (meanwhile is null)
        {
            return;
        }

        try
        {
            using var directory = DataDirectory.Open(options.DataDirectory, reserveBytes: 0);
            await meanwhile(new DirectoryInfo(directory.Path), cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            MeanwhileFailed(logger, e);
            Problems.Happened(Sentence.From(e));
        }
    }

    private void Begin(Action stage, Func<DirectoryInfo, CancellationToken, Task>? meanwhile)
    {
        try
        {
            _ = ReadOptions();
        }
        catch (ConfigurationException e)
        {
            var why = e.Problems is [var first, ..] ? first : Sentence.Verbatim(e.Message);
            throw new RefusedException(Sentence.Of($"The box cannot start again with the configuration that it has now, so it goes on as it is. {why}"), e);
        }

        lock (_gate)
        {
            if (_isEnding)
            {
                throw new RefusedException(Sentence.Of($"The box is about to restart already. Wait a moment."));
            }

            stage();
            (_isEnding, _meanwhile) = (true, meanwhile);
        }

        var ending = _ending;
        _ = Task.Delay(Farewell).ContinueWith(_ => ending.TrySetResult(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What was to be done while the box was closed has failed; it starts as it is.")]
    private static partial void MeanwhileFailed(ILogger logger, Exception e);
}
