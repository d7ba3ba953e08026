using PiPub.Node.Invites;
using PiPub.Node.Reachability;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Tests.Reachability;

public class AddressProofsTests
{
    private static readonly InviteAddress Address = new(InviteTransport.Net, "203.0.113.5", 8008);
    private static readonly FeedId Friend = KeyPair.Generate().Id;
    private static readonly FeedId Other = KeyPair.Generate().Id;

    private readonly ManualTime _time = new();
    private readonly AddressProofs _proofs;

    public AddressProofsTests() => _proofs = new AddressProofs(new ReachOptions(), _time);

    [Fact]
    public void A_proof_lives_for_a_day_without_renewal()
    {
        Assert.True(_proofs.Prove(Address, Friend, wasAsked: true));
        Assert.False(_proofs.Prove(Address, Other, wasAsked: false));
        Assert.Equal((true, 2, null), (State.IsProven, State.Provers, State.ProvenBy));
        _time.Advance(TimeSpan.FromHours(23));
        Assert.True(State.IsProven);
        _proofs.Prove(Address, Friend, wasAsked: true);
        _time.Advance(TimeSpan.FromHours(23));
        Assert.Equal((true, 1, Friend), (State.IsProven, State.Provers, State.ProvenBy));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(State.IsProven);
        Assert.NotNull(State.ProvenAt);
        Assert.False(State.HasFailed);
    }

    [Fact]
    public void One_failure_after_a_proof_is_believed_of_the_last_peer_there_is()
    {
        _proofs.Prove(Address, Friend, wasAsked: true);
        Assert.True(_proofs.Fail(Address, Friend, isLastWord: true));
        Assert.False(State.IsProven);
        Assert.True(State.HasFailed);
        Assert.True(_proofs.Prove(Address, Friend, wasAsked: false));
        Assert.True(State.IsProven);
        Assert.False(State.HasFailed);
    }

    [Fact]
    public void One_failure_after_a_proof_is_checked_with_a_second_peer()
    {
        _proofs.Prove(Address, Friend, wasAsked: true);
        _proofs.Asked(Address);
        Assert.False(_proofs.Fail(Address, Friend, isLastWord: false));
        Assert.True(State.IsProven);
        Assert.True(IsDue(Other));
        Assert.False(IsDue(Friend));
        Assert.True(_proofs.Fail(Address, Other, isLastWord: false));
        Assert.False(State.IsProven);
        Assert.Equal(2, State.Failures);
    }

    [Fact]
    public void A_second_peer_that_comes_in_clears_the_doubt()
    {
        _proofs.Prove(Address, Friend, wasAsked: true);
        _proofs.Asked(Address);
        _proofs.Fail(Address, Friend, isLastWord: false);
        _proofs.Prove(Address, Other, wasAsked: true);
        Assert.True(State.IsProven);
        Assert.False(IsDue(Friend));
        Assert.False(IsDue(Other));
    }

    [Fact]
    public void Questions_are_seldom()
    {
        Assert.True(IsDue(Friend));
        _proofs.Asked(Address);
        Assert.False(IsDue(Friend));
        _proofs.Fail(Address, Friend, isLastWord: true);
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.False(IsDue(Friend));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsDue(Friend));

        _proofs.Asked(Address);
        _proofs.Prove(Address, Friend, wasAsked: true);
        _time.Advance(TimeSpan.FromHours(5));
        Assert.False(IsDue(Friend));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(IsDue(Friend));
    }

    [Fact]
    public void Peers_that_come_by_themselves_save_the_question()
    {
        _proofs.Asked(Address);
        _proofs.Prove(Address, Friend, wasAsked: true);
        for (var hours = 0; hours < 48; hours += 4)
        {
            _time.Advance(TimeSpan.FromHours(4));
            Assert.False(IsDue(Friend));
            _proofs.Prove(Address, Other, wasAsked: false);
        }
    }

    [Fact]
    public void A_network_that_comes_and_goes_does_not_make_a_loop()
    {
        _proofs.Asked(Address);
        _proofs.Prove(Address, Friend, wasAsked: true);
        _proofs.AskAnew(unprovenOnly: true);
        Assert.False(IsDue(Friend));
        var asked = 0;
        for (var seconds = 0; seconds < 600; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _proofs.AskAnew(unprovenOnly: false);
            if (IsDue(Friend))
            {
                _proofs.Asked(Address);
                _proofs.Fail(Address, Friend, isLastWord: true);
                asked++;
            }
        }

        Assert.Equal(10, asked);
    }

    [Fact]
    public void What_the_box_no_longer_has_is_forgotten_in_time()
    {
        _proofs.Prove(Address, Friend, wasAsked: true);
        _proofs.Forget([]);
        Assert.True(State.IsProven);
        _time.Advance(TimeSpan.FromHours(24));
        _proofs.Forget([]);
        Assert.Null(State.ProvenAt);
    }

    private ProofState State => _proofs.StateOf(Address);

    private bool IsDue(FeedId peer) => _proofs.DueAt(Address, peer) <= _time.GetUtcNow();
}
