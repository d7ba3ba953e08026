using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.SocialGraph;

public class FollowGraphTests
{
    private static readonly FeedId Box = Id(0);

    /// <summary>
    /// hops.json holds random sequences of edges with the distances that layered-graph 1.2.0 (which ssb-friends stands
    /// on) gave after each one: [from, to, value, "feed:hops ..."].
    /// </summary>
    [Fact]
    public void Hops_are_counted_as_ssb_friends_counts_them()
    {
        using var sequences = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "SocialGraph", "hops.json")));
        var checkedSteps = 0;
        foreach (var sequence in sequences.RootElement.EnumerateArray())
        {
            var graph = new FollowGraph(Box, sequence.GetProperty("max").GetInt32());
            var seen = new Dictionary<FeedId, int> { [Box] = 0 };
            graph.HopsChanged += changes =>
            {
                foreach (var change in changes)
                {
                    Assert.Equal(change.Former, seen.TryGetValue(change.Feed, out var former) ? former : null);
                    seen.Remove(change.Feed);
                    if (change.Hops is { } hops)
                    {
                        seen.Add(change.Feed, hops);
                    }
                }
            };
            foreach (var step in sequence.GetProperty("ops").EnumerateArray())
            {
                graph.Apply([new ContactEdge(Id(step[0].GetInt32()), Id(step[1].GetInt32()), (ContactState)step[2].GetInt32())]);
                var expected = step[3].GetString()!.Split(' ').ToDictionary(pair => Id(int.Parse(pair.Split(':')[0])), pair => int.Parse(pair.Split(':')[1]));
                Assert.Equal(expected.OrderBy(pair => pair.Key), graph.AllHops().OrderBy(pair => pair.Key));
                Assert.Equal(expected.OrderBy(pair => pair.Key), seen.OrderBy(pair => pair.Key));
                checkedSteps++;
            }
        }

        Assert.True(checkedSteps > 500);
    }

    [Fact]
    public void A_batch_of_edges_ends_where_the_edges_one_by_one_end()
    {
        var random = new Random(7);
        for (var round = 0; round < 50; round++)
        {
            var edges = Enumerable.Range(0, 80).Select(_ => new ContactEdge(Id(random.Next(8)), Id(random.Next(8)), random.Next(4) switch
            {
                0 => ContactState.Blocking,
                1 => ContactState.Neutral,
                _ => ContactState.Following,
            })).ToList();
            var (one, all, later) = (new FollowGraph(Box, 3), new FollowGraph(Box, 3), new FollowGraph(Box, 1));
            foreach (var edge in edges)
            {
                one.Apply([edge]);
            }

            all.Apply(edges);
            later.Apply(edges);
            later.SetMaxHops(3);
            var expected = one.AllHops().OrderBy(pair => pair.Key);
            Assert.Equal(expected, all.AllHops().OrderBy(pair => pair.Key));
            Assert.Equal(expected, later.AllHops().OrderBy(pair => pair.Key));
            Assert.Equal(expected, one.AllHops(Box, 3).OrderBy(pair => pair.Key));
        }
    }

    [Fact]
    public void The_box_is_0_its_members_1_and_the_people_they_follow_2()
    {
        var graph = new FollowGraph(Box);
        graph.Apply(
        [
            new(Box, Id(1), ContactState.Following),
            new(Box, Id(2), ContactState.Following),
            new(Id(1), Id(3), ContactState.Following),
            new(Id(3), Id(4), ContactState.Following),
            new(Id(5), Box, ContactState.Following),
            new(Box, Id(6), ContactState.Blocking),
            new(Id(1), Id(6), ContactState.Following),
        ]);
        Assert.Equal([0, 1, 1, 2, null, null, -1], Enumerable.Range(0, 7).Select(i => graph.Hops(Id(i))));
        Assert.Equal([Id(1), Id(2)], graph.Members);
        Assert.True(graph.IsFollowing(Box, Id(1)));
        Assert.False(graph.IsFollowing(Id(1), Box));
        Assert.True(graph.IsBlocking(Id(6)));

        graph.Apply([new(Box, Id(1), ContactState.Neutral), new(Box, Id(6), ContactState.Following)]);
        Assert.Equal([Id(2), Id(6)], graph.Members);
        Assert.False(graph.IsBlocking(Id(6)));
        Assert.Null(graph.Hops(Id(3)));
    }

    [Theory]
    [InlineData("""{"type":"contact","contact":"@1","following":true}""", ContactState.Following)]
    [InlineData("""{"type":"contact","contact":"@1","following":true,"blocking":false}""", ContactState.Following)]
    [InlineData("""{"type":"contact","contact":"@1","following":true,"blocking":true}""", ContactState.Blocking)]
    [InlineData("""{"type":"contact","contact":"@1","flagged":{"reason":"spam"}}""", ContactState.Blocking)]
    [InlineData("""{"type":"contact","contact":"@1","blocking":1}""", ContactState.Blocking)]
    [InlineData("""{"type":"contact","contact":"@1","blocking":""}""", ContactState.Neutral)]
    [InlineData("""{"type":"contact","contact":"@1","following":false}""", ContactState.Neutral)]
    [InlineData("""{"type":"contact","contact":"@1","following":1}""", ContactState.Neutral)]
    [InlineData("""{"contact":"@1","pub":true,"following":true,"type":"contact"}""", ContactState.Following)]
    [InlineData("""{"type":"contact","contact":"@1"}""", ContactState.Neutral)]
    [InlineData("""{"type":"contact","contact":"%1","following":true}""", null)]
    [InlineData("""{"type":"contact","contact":{"link":"@1"},"following":true}""", null)]
    [InlineData("""{"type":"contact","following":true}""", null)]
    [InlineData("""{"type":"post","contact":"@1","following":true}""", null)]
    [InlineData("""{"type":"post","text":"\"contact\"","root":{"type":"contact","contact":"@1"}}""", null)]
    [InlineData("\"cipher.box\"", null)]
    [InlineData("""{"\ud800":1,"type":"contact","contact":"@1","following":true,"\udc00":"\ud83d"}""", ContactState.Following)]
    [InlineData("""{"type":"\ud800","contact":"@1","following":true}""", null)]
    [InlineData("""{"type":"contact","contact":"@1","blocking":"\ud800"}""", ContactState.Blocking)]
    public void Contact_messages_are_read_as_ssb_friends_reads_them(string content, ContactState? expected)
    {
        content = content.Replace("\"@1\"", $"\"{Id(1)}\"", StringComparison.Ordinal);
        var value = $$"""{"previous":null,"sequence":1,"author":"{{Id(2)}}","timestamp":1,"hash":"sha256","content":{{content}},"signature":"x.sig.ed25519"}""";
        var message = new Message(default, Id(2), 1, default, 1, Encoding.UTF8.GetBytes(value));
        Assert.Equal(expected is not null, ContactMessage.TryRead(message, out var edge));
        if (expected is { } state)
        {
            Assert.Equal(new ContactEdge(Id(2), Id(1), state), edge);
        }
    }

    [Fact]
    public void Changes_are_told_once_and_only_when_something_changed()
    {
        var graph = new FollowGraph(Box);
        var (edges, hops) = (0, 0);
        graph.EdgesChanged += changes => edges += changes.Count;
        graph.HopsChanged += changes => hops += changes.Count;
        graph.Apply([new(Box, Id(1), ContactState.Following), new(Box, Id(1), ContactState.Following)]);
        graph.Apply([new(Box, Id(1), ContactState.Following)]);
        Assert.Equal((1, 1), (edges, hops));
        graph.Apply([new(Id(7), Id(1), ContactState.Blocking)]);
        Assert.Equal((2, 1), (edges, hops));
        graph.Apply([new(Box, Id(1), ContactState.Blocking), new(Box, Id(1), ContactState.Following)]);
        Assert.Equal((4, 1), (edges, hops));
    }

    [Fact]
    public void Ten_thousand_feeds_with_a_million_follows_are_counted_without_waiting()
    {
        var graph = new FollowGraph(Box);
        var random = new Random(1);
        graph.Apply(Enumerable.Range(1, 300).Select(i => new ContactEdge(Box, Id(i), ContactState.Following)));
        var ids = Enumerable.Range(0, 10_000).Select(Id).ToArray();
        for (var i = 1; i < ids.Length; i++)
        {
            var author = ids[i];
            graph.Apply(Enumerable.Range(0, 100).Select(_ => new ContactEdge(author, ids[random.Next(1, ids.Length)], ContactState.Following)));
        }

        Assert.InRange(graph.AllHops().Count, 9000, 10_000);
        for (var i = 1; i <= 200; i++)
        {
            graph.Apply([new ContactEdge(Box, ids[i], ContactState.Blocking)]);
        }

        Assert.Equal(200, graph.AllHops().Count(pair => pair.Value == -1));
    }

    private static FeedId Id(int number) => new(SHA256.HashData(BitConverter.GetBytes(number)));
}
