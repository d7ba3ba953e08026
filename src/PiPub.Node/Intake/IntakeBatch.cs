using System.Runtime.InteropServices;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Intake;

/// <summary>What is verified and committed together, with its verdicts. Used again and again.</summary>
internal sealed class IntakeBatch
{
    private const sbyte Unsettled = -1;

    private sbyte[] _verdicts = [];
    private ReadOnlyMemory<byte>[] _wires = [];
    private ClassicVerdict[] _verified = [];
    private int[] _slots = [];

    /// <summary>What was taken, in the order of submission.</summary>
    public List<Submission> Submissions { get; } = [];

    /// <summary>What goes to the log, in the order of each feed.</summary>
    public List<Message> ToAppend { get; } = [];

    /// <summary>The number of submissions.</summary>
    public int Count => Submissions.Count;

    /// <summary>Makes ready for the submissions that were taken.</summary>
    public void Begin()
    {
        if (_verdicts.Length < Count)
        {
            var size = Math.Max(64, Count);
            _verdicts = new sbyte[size];
            _wires = new ReadOnlyMemory<byte>[size];
            _verified = new ClassicVerdict[size];
            _slots = new int[size];
        }

        _verdicts.AsSpan(0, Count).Fill(Unsettled);
    }

    public void Settle(int i, IntakeVerdict verdict) => _verdicts[i] = (sbyte)verdict;

    public bool IsSettled(int i) => _verdicts[i] != Unsettled;

    /// <summary>The verdict; what was never settled is not stored.</summary>
    public IntakeVerdict VerdictOf(int i) => IsSettled(i) ? (IntakeVerdict)_verdicts[i] : IntakeVerdict.NotStored;

    /// <summary>What verifying gave for a submission that was not settled before.</summary>
    public ClassicVerdict Verified(int i) => _verified[_slots[i]];

    /// <summary>Verifies what is not settled, on all cores.</summary>
    public void Verify(HmacKey? hmacKey)
    {
        var count = 0;
        var submissions = CollectionsMarshal.AsSpan(Submissions);
        for (var i = 0; i < submissions.Length; i++)
        {
            if (!IsSettled(i))
            {
                _slots[i] = count;
                _wires[count++] = submissions[i].Wire;
            }
        }

        ClassicFeed.VerifyBatch(_wires.AsMemory(0, count), hmacKey, _verified);
    }

    /// <summary>
    /// Nothing of this batch reached the log: what was to be appended is not stored, nor what was known only because of that.
    /// </summary>
    public void NothingStored(MessageStore store)
    {
        for (var i = 0; i < Count; i++)
        {
            var submission = Submissions[i];
            if (VerdictOf(i) == IntakeVerdict.Appended
                || (VerdictOf(i) == IntakeVerdict.Known && submission.Sequence > store.Tip(submission.Author).Sequence))
            {
                Settle(i, IntakeVerdict.NotStored);
            }
        }
    }

    /// <summary>Lets go of everything, so that no message is kept in memory by an idle batch.</summary>
    public void Clear()
    {
        _wires.AsSpan(0, Count).Clear();
        _verified.AsSpan(0, Count).Clear();
        Submissions.Clear();
        ToAppend.Clear();
    }
}
