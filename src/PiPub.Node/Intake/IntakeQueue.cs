using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Intake;

/// <summary>A message on its way in.</summary>
/// <param name="Source">Who brought it.</param>
/// <param name="Wire">The bare value as received.</param>
/// <param name="Author">Who it says wrote it, unproven.</param>
/// <param name="Sequence">The sequence that it claims, unproven.</param>
internal readonly record struct Submission(IMessageSource Source, ReadOnlyMemory<byte> Wire, FeedId Author, int Sequence);

/// <summary>
/// What waits to be taken in, bounded in messages and bytes: who submits waits while it is full (back-pressure), in turn.
/// </summary>
internal sealed class IntakeQueue(int maxMessages, int maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Queue<Submission> _queue = new();
    private readonly Queue<Waiter> _waiters = new();
    private TaskCompletionSource<bool>? _taker;
    private TaskCompletionSource? _gathered;
    private int _enough;
    private int _urgent;
    private int _bytes;
    private bool _closed;

    /// <summary>Adds a submission as soon as there is room.</summary>
    /// <exception cref="ObjectDisposedException">The queue is closed: the node is stopping.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the submission was not added.</exception>
    public ValueTask AddAsync(in Submission submission, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(MessageIntake));
            if (_waiters.Count == 0 && HasRoom)
            {
                Add(submission);
                return ValueTask.CompletedTask;
            }

            waiter = new Waiter(submission);
            _waiters.Enqueue(waiter);
        }

        return waiter.WaitAsync(cancellationToken);
    }

    /// <summary>Waits until something is there to take; false when the queue is closed and empty.</summary>
    public ValueTask<bool> WaitAsync()
    {
        lock (_gate)
        {
            if (_queue.Count > 0 || _closed)
            {
                return ValueTask.FromResult(_queue.Count > 0);
            }

            _taker = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<bool>(_taker.Task);
        }
    }

    /// <summary>
    /// Waits for a while for more to come, but not once <paramref name="enough"/> messages are there, there is room for no more, the
    /// box itself has one among them, or the queue is closed.
    /// </summary>
    public Task GatherAsync(int enough, TimeSpan pause, TimeProvider time)
    {
        lock (_gate)
        {
            _enough = enough;
            if (IsWorthTaking)
            {
                return Task.CompletedTask;
            }

            _gathered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _gathered.Task.WaitAsync(pause, time);
        }
    }

    /// <summary>Takes what is there, up to a number of messages and bytes, and lets in those who wait for room.</summary>
    public void Take(List<Submission> taken, int messages, int bytes)
    {
        lock (_gate)
        {
            while (taken.Count < messages && bytes > 0 && _queue.TryDequeue(out var submission))
            {
                taken.Add(submission);
                bytes -= submission.Wire.Length;
                _bytes -= submission.Wire.Length;
                _urgent -= submission.Source.IsAuthor ? 1 : 0;
            }

            while (HasRoom && _waiters.TryDequeue(out var waiter))
            {
                if (waiter.TryLetIn())
                {
                    Add(waiter.Submission);
                }
            }
        }
    }

    /// <summary>Takes nothing more in; who waits is refused.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            while (_waiters.TryDequeue(out var waiter))
            {
                waiter.Refuse();
            }

            _taker?.TrySetResult(_queue.Count > 0);
            _gathered?.TrySetResult();
        }
    }

    private bool HasRoom => _queue.Count < maxMessages && _bytes < maxBytes;

    private bool IsWorthTaking => _queue.Count >= _enough || _urgent > 0 || !HasRoom || _closed;

    private void Add(in Submission submission)
    {
        _queue.Enqueue(submission);
        _bytes += submission.Wire.Length;
        _urgent += submission.Source.IsAuthor ? 1 : 0;
        _taker?.TrySetResult(true);
        _taker = null;
        if (_gathered is not null && IsWorthTaking)
        {
            _gathered.TrySetResult();
            _gathered = null;
        }
    }

    /// <summary>Someone who waits for room. Let in, refused or given up: the first of these counts.</summary>
    private sealed class Waiter(Submission submission)
    {
        private readonly TaskCompletionSource _task = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Submission Submission => submission;

        public bool TryLetIn() => _task.TrySetResult();

        public void Refuse() => _task.TrySetException(new ObjectDisposedException(nameof(MessageIntake)));

        public async ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            await using var registration = cancellationToken.UnsafeRegister(
                static (waiter, token) => ((Waiter)waiter!)._task.TrySetCanceled(token), this);
            await _task.Task;
        }
    }
}
