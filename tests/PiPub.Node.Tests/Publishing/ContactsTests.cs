using System.Text;
using System.Text.Json;
using PiPub.Node.Publishing;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Tests.Publishing;

public sealed class ContactsTests : IDisposable
{
    private readonly FeedId _box = KeyPair.Generate().Id;
    private readonly FeedId _friend = KeyPair.Generate().Id;
    private readonly MessageStore _store = new(new MemoryMessageLog());
    private readonly TestPublisher _publisher;
    private readonly RpcMethods _methods = new();

    public ContactsTests()
    {
        _publisher = new TestPublisher(_box, _store);
        new Contacts(_publisher, _box).Register(_methods);
    }

    [Theory]
    [InlineData("friends.follow", "", "following", true)]
    [InlineData("friends.follow", ",{\"state\":true}", "following", true)]
    [InlineData("friends.follow", ",{\"state\":false}", "following", false)]
    [InlineData("friends.block", ",{}", "blocking", true)]
    [InlineData("friends.block", ",{\"state\":false}", "blocking", false)]
    public async Task The_calls_publish_what_ssb_friends_publishes(string method, string options, string what, bool state)
    {
        var message = await CallAsync(method, $"[\"{_friend}\"{options}]");
        Assert.Equal($$"""{"type":"contact","contact":"{{_friend}}","{{what}}":{{(state ? "true" : "false")}}}""", _publisher.Published.Single());
        Assert.Equal(_friend.ToString(), message.GetProperty("value").GetProperty("content").GetProperty("contact").GetString());
    }

    [Theory]
    [InlineData("[]", "follow() requires a feedId, got undefined")]
    [InlineData("[\"x\"]", "follow() requires a feedId, got \"x\"")]
    [InlineData("[\"@\",{\"recps\":[\"@x\"]}]", "in private is not offered")]
    [InlineData("[\"box\"]", "the box's own feed")]
    public async Task What_cannot_be_done_is_refused_in_words(string args, string why)
    {
        args = args.Replace("\"@\"", $"\"{_friend}\"", StringComparison.Ordinal).Replace("\"box\"", $"\"{_box}\"", StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<RpcException>(() => CallAsync("friends.follow", args));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Empty(_publisher.Published);
    }

    [Fact]
    public async Task When_publishing_fails_the_owner_reads_why()
    {
        _publisher.Failure = new PublishRefusedException("The box has not recovered its feed yet.");
        var error = await Assert.ThrowsAsync<RpcException>(() => CallAsync("friends.block", $"[\"{_friend}\"]"));
        Assert.Equal("The box has not recovered its feed yet.", error.Message);
        Assert.Null(_methods.Find("friends.block", RpcCallers.Peer, false));
    }

    public void Dispose() => _store.Dispose();

    private async Task<JsonElement> CallAsync(string name, string args)
    {
        var request = new RpcRequest(name, JsonElement.Parse(Encoding.UTF8.GetBytes(args)), null!, RpcCallers.Owner, true);
        return (await _methods.Find(name, RpcCallers.Owner, true)!.Answer!(request, TestContext.Current.CancellationToken)).ToJson();
    }
}
