using System.Security.Cryptography;
using System.Text;
using PiPub.Node.Replication;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Replication;

public sealed class ReplicationSchedulerTests : IDisposable
{
    private static readonly FeedId Box = Id(0);
    private readonly TestState _state = new();
    private readonly FollowGraph _graph = new(Box, 2);
    private readonly ReplicationScheduler _scheduler;
    private readonly HashSet<FeedId> _told = [];

    public ReplicationSchedulerTests()
    {
        _scheduler = new ReplicationScheduler(_graph, new ReplicateListTable(_state.Database), TimeProvider.System);
        _scheduler.Changed += change =>
        {
            foreach (var feed in change.Added)
            {
                Assert.True(_told.Add(feed));
            }

            foreach (var feed in change.Removed)
            {
                Assert.True(_told.Remove(feed));
            }
        };
    }

    [Fact]
    public void Nothing_is_wanted_before_the_start_and_then_the_box_and_all_within_reach()
    {
        Follow(Box, 1);
        Follow(Id(1), 2);
        Follow(Id(2), 3);
        Assert.Empty(_scheduler.Wanted());
        _scheduler.Start();
        _scheduler.Start();
        AssertWanted(0, 1, 2);
        Assert.Equal([Box, Id(1), Id(2)], _scheduler.Wanted());
        Follow(Box, 2);
        AssertWanted(0, 1, 2, 3);
    }

    [Fact]
    public void A_blocked_feed_is_never_wanted_not_even_by_name()
    {
        _scheduler.Start();
        Follow(Box, 1);
        Follow(Id(1), 2);
        _scheduler.Ask(Id(2));
        _graph.Apply([new ContactEdge(Box, Id(2), ContactState.Blocking)]);
        AssertWanted(0, 1);
        _graph.Apply([new ContactEdge(Box, Id(2), ContactState.Neutral)]);
        AssertWanted(0, 1, 2);
        _scheduler.Forget(Id(2));
        AssertWanted(0, 1, 2); // Followed by a member, which counts as near as the box's having turned away.
    }

    [Fact]
    public void The_reach_changes_at_run_time()
    {
        Follow(Box, 1);
        Follow(Id(1), 2);
        Follow(Id(2), 3);
        _scheduler.Start();
        _scheduler.Reconfigure(new ReplicationOptions { Hops = 3 });
        AssertWanted(0, 1, 2, 3);
        _scheduler.Reconfigure(new ReplicationOptions { Hops = 0 });
        AssertWanted(0);
        _graph.Apply([new ContactEdge(Box, Id(1), ContactState.Blocking)]);
        _scheduler.Ask(Id(1));
        AssertWanted(0);
        _scheduler.Reconfigure(new ReplicationOptions { Hops = 2 });
        AssertWanted(0);
    }

    [Fact]
    public void The_private_list_survives_a_restart()
    {
        Assert.True(_scheduler.Ask(Id(7)));
        Assert.False(_scheduler.Ask(Id(7)));
        _state.Reopen();
        var again = new ReplicationScheduler(_graph, new ReplicateListTable(_state.Database), TimeProvider.System);
        again.Start();
        Assert.True(again.IsWanted(Id(7)));
        Assert.Equal([Id(7)], again.Listed());
        Assert.True(again.Forget(Id(7)));
        Assert.False(again.IsWanted(Id(7)));
    }

    [Fact]
    public async Task The_owners_tools_change_it()
    {
        var methods = new RpcMethods();
        new ReplicationMethods(_scheduler).Register(methods);
        async Task<string> CallAsync(string method, string args)
        {
            var request = new RpcRequest(method, System.Text.Json.JsonElement.Parse(args), null!, RpcCallers.Owner, true);
            return Encoding.UTF8.GetString((await methods.Find(method, RpcCallers.Owner, true)!.Answer!(request, TestContext.Current.CancellationToken)).Bytes.Span);
        }

        Assert.Equal("true", await CallAsync("replicationScheduler.start", "[]"));
        Assert.Equal("true", await CallAsync("ebt.request", $"[\"{Id(5)}\",true]"));
        AssertWanted(0, 5);
        Assert.Equal("true", await CallAsync("ebt.request", $"[\"{Id(5)}\",false]"));
        AssertWanted(0);
        await CallAsync("replicationScheduler.reconfigure", """[{"hops":1}]""");
        Assert.Equal(1, _scheduler.Hops);
        await Assert.ThrowsAsync<RpcException>(() => CallAsync("replicationScheduler.reconfigure", """[{"hops":-1}]"""));
        await Assert.ThrowsAsync<RpcException>(() => CallAsync("ebt.request", """["me"]"""));
        Assert.Null(methods.Find("ebt.request", RpcCallers.Peer, false));
    }

    public void Dispose() => _state.Dispose();

    private static FeedId Id(int number) => new(SHA256.HashData(BitConverter.GetBytes(number)));

    private void Follow(FeedId author, int contact) => _graph.Apply([new ContactEdge(author, Id(contact), ContactState.Following)]);

    private void AssertWanted(params int[] numbers)
    {
        Assert.Equal(numbers.Select(Id).Order(), _scheduler.Wanted().Order());
        Assert.Equal(numbers.Select(Id).Order(), _told.Order());
    }
}
