using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Intake;

/// <summary>An intake on a log in memory that can be told to fail or to hold still.</summary>
internal sealed class TestDoor : IAsyncDisposable, IAppendObserver
{
    private readonly TestState _state = new();
    private readonly List<LogRecord> _observed = [];

    public TestDoor(IntakeOptions? options = null, bool start = true)
    {
        Log = new StubbornLog();
        Store = new MessageStore(Log);
        Forks = new ForkTable(_state.Database);
        Statuses = new FeedStatuses(Store, Forks);
        Intake = new MessageIntake(Store, Forks, Statuses, options ?? new IntakeOptions { DiskRetryDelay = TimeSpan.FromMilliseconds(1) }, TimeProvider.System, NullLogger<MessageIntake>.Instance);
        Intake.Observe(this);
        if (start)
        {
            Intake.Start();
        }
    }

    public StubbornLog Log { get; }

    public MessageStore Store { get; }

    public ForkTable Forks { get; private set; }

    public FeedStatuses Statuses { get; }

    public MessageIntake Intake { get; }

    public StateDatabase State => _state.Database;

    /// <summary>What observers were told, in order.</summary>
    public IReadOnlyList<LogRecord> Observed
    {
        get
        {
            lock (_observed)
            {
                return _observed.ToArray();
            }
        }
    }

    /// <summary>Submits values from one source and waits for all verdicts.</summary>
    public async Task<IReadOnlyList<IntakeVerdict>> SubmitAsync(params IEnumerable<ReadOnlyMemory<byte>> values)
    {
        var source = new TestSource();
        var count = 0;
        foreach (var value in values)
        {
            await Intake.SubmitAsync(source, value, TestContext.Current.CancellationToken);
            count++;
        }

        return await source.WaitAsync(count);
    }

    public Task<IReadOnlyList<IntakeVerdict>> SubmitAsync(params IEnumerable<Message> messages) => SubmitAsync(messages.Select(m => m.Value));

    /// <summary>The values of a feed as the log has them.</summary>
    public List<byte[]> Stored(FeedId feed) => Log.Scan(0).Where(r => r.Message.Author == feed).Select(r => r.Message.Value.ToArray()).ToList();

    /// <summary>The fork table as it is after a restart.</summary>
    public ForkTable ReopenForks()
    {
        _state.Reopen();
        return Forks = new ForkTable(_state.Database);
    }

    void IAppendObserver.Appended(IReadOnlyList<LogRecord> records)
    {
        lock (_observed)
        {
            _observed.AddRange(records);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Log.Resume();
        await Intake.DisposeAsync();
        Store.Dispose();
        _state.Dispose();
    }
}

/// <summary>Keeps the verdicts that it is told.</summary>
internal sealed class TestSource : IMessageSource
{
    private readonly Lock _gate = new();
    private readonly List<IntakeVerdict> _verdicts = [];
    private readonly List<int> _sequences = [];
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<int> Sequences
    {
        get
        {
            lock (_gate)
            {
                return _sequences.ToArray();
            }
        }
    }

    public bool IsAuthor { get; init; }

    public void Judged(FeedId author, int sequence, IntakeVerdict verdict)
    {
        lock (_gate)
        {
            _verdicts.Add(verdict);
            _sequences.Add(sequence);
            _told.TrySetResult();
        }
    }

    public async Task<IReadOnlyList<IntakeVerdict>> WaitAsync(int count)
    {
        while (true)
        {
            Task told;
            lock (_gate)
            {
                if (_verdicts.Count >= count)
                {
                    return _verdicts.ToArray();
                }

                _told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                told = _told.Task;
            }

            await told.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>A log in memory whose appends fail or wait as long as a test wants.</summary>
internal sealed class StubbornLog : IMessageLog
{
    private readonly MemoryMessageLog _log = new();
    private TaskCompletionSource _gate = Opened();

    /// <summary>So many appends fail as on a full disk.</summary>
    public int FailuresLeft { get; set; }

    /// <summary>The number of appends that have begun.</summary>
    public int Appends { get; private set; }

    public long End => _log.End;

    /// <summary>Appends wait until <see cref="Resume"/>.</summary>
    public void Hold() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume() => _gate.TrySetResult();

    public async ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken)
    {
        Appends++;
        await _gate.Task;
        if (FailuresLeft > 0)
        {
            FailuresLeft--;
            throw new IOException("No space left on device");
        }

        return await _log.AppendAsync(messages, receivedAt, cancellationToken);
    }

    public LogRecord Read(long position) => _log.Read(position);

    public ReadOnlyMemory<byte> ReadValue(long position) => _log.ReadValue(position);

    public IEnumerable<LogRecord> Scan(long position) => _log.Scan(position);

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }
}
