using System.Text.Json;

namespace PiPub.Tests.CommandLine;

public sealed class CommandTests : IAsyncLifetime
{
    private const string Somebody = "@AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.ed25519";
    private readonly TemporaryDirectory _directory = new();
    private RunningBox _box = null!;

    public async ValueTask InitializeAsync() => _box = await RunningBox.StartAsync(_directory.Path);

    public async ValueTask DisposeAsync()
    {
        await _box.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Whoami_says_the_id_that_run_printed()
    {
        Assert.Equal(_box.Id, await _box.DoAsync("whoami"));
        Assert.Equal(_box.Id, (await _box.AskAsync("whoami")).GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_socket_can_be_opened_by_its_user_alone()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_box.Start.GetProperty("socket").GetString()!));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(_directory.In("secret")));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Reach_says_whether_the_box_can_be_reached_in_words_and_for_programs()
    {
        const string Summary = "The configured public-host 127.0.0.1 is known in the home network only, so nobody from outside can reach this box.";
        var words = await _box.DoAsync("reach");
        Assert.StartsWith(Summary + "\nSet public-host to ", words, StringComparison.Ordinal);
        Assert.Contains("net:127.0.0.1:", words, StringComparison.Ordinal);
        Assert.DoesNotContain("~shs", words, StringComparison.Ordinal);

        var report = await _box.AskAsync("reach");
        string[] members = ["hostName", "reachable", "summary", "advice", "reason", "addresses", "mapping", "attempts", "gateway"];
        Assert.Equal(members, report.EnumerateObject().Select(static member => member.Name));
        Assert.False(report.GetProperty("reachable").GetBoolean());
        Assert.Equal(("configured", Summary), (report.GetProperty("reason").GetString(), report.GetProperty("summary").GetString()));
        var address = report.GetProperty("addresses")[0];
        string[] ofAddress = ["address", "scope", "origin", "proven", "provenAt", "provenBy", "problem"];
        Assert.Equal(ofAddress, address.EnumerateObject().Select(static member => member.Name));
        Assert.Equal((_box.Address, "local", "configured"), (address.GetProperty("address").GetString(), address.GetProperty("scope").GetString(), address.GetProperty("origin").GetString()));
        Assert.Contains("reachable         no. " + Summary, await _box.DoAsync("status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_published_is_exported_and_counted()
    {
        var id = await _box.DoAsync("publish", "--text", "Grüße \"an\" alle");
        var answer = await _box.AskAsync("publish", """{"type":"vote","vote":{"link":"ID","value":1}}""".Replace("ID", id));
        Assert.Equal(2, answer.GetProperty("value").GetProperty("sequence").GetInt32());

        var file = _directory.In("export.jsonl");
        await _box.DoAsync("log", "export", "--output", file);
        var lines = (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken)).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(2, lines.Count);
        Assert.Equal(id, lines[0].GetProperty("key").GetString());
        Assert.Equal("Grüße \"an\" alle", lines[0].GetProperty("value").GetProperty("content").GetProperty("text").GetString());
        await _box.DoAsync("log", "export", "--feed", _box.Id, "--output", file);
        Assert.Equal(2, (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken)).Length);

        var status = await _box.AskAsync("status");
        Assert.Equal((2, 1), (status.GetProperty("messages").GetInt32(), status.GetProperty("feeds").GetInt32()));
        Assert.Contains("messages          2", await _box.DoAsync("status"), StringComparison.Ordinal);
        Assert.Contains(_box.Id, await _box.DoAsync("feeds"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    public async Task What_is_no_content_is_not_published(string content)
    {
        var (code, output, errors) = await RunningBox.CommandAsync(_directory.Path, "publish", content);
        Assert.Equal((1, ""), (code, output));
        Assert.NotEmpty(errors);
        Assert.Equal(0, (await _box.AskAsync("status")).GetProperty("messages").GetInt32());
    }

    [Fact]
    public async Task Follow_unfollow_and_block_publish_what_they_say()
    {
        await using var session = await _box.ConnectAsync();
        var hops = async () => (await session.CallAsync(
            "friends.isFollowing", System.Text.Encoding.UTF8.GetBytes($$"""[{"source":"{{_box.Id}}","dest":"{{Somebody}}"}]"""), TestContext.Current.CancellationToken)).ToJson().GetBoolean();
        await _box.DoAsync("follow", Somebody);
        Assert.True(await hops());
        await _box.DoAsync("unfollow", Somebody);
        Assert.False(await hops());
        await _box.DoAsync("follow", Somebody);
        var block = await _box.AskAsync("block", Somebody);
        Assert.True(block.GetProperty("value").GetProperty("content").GetProperty("blocking").GetBoolean());
        Assert.False(await hops());
    }

    [Fact]
    public async Task A_feed_can_be_kept_without_a_word_to_anybody()
    {
        Assert.Equal($"Keeping {Somebody}.", await _box.DoAsync("follow", Somebody, "--privately"));
        Assert.False((await _box.AskAsync("follow", Somebody, "--privately")).GetBoolean());
        Assert.True((await _box.AskAsync("unfollow", Somebody, "--privately")).GetBoolean());
        Assert.Equal(0, (await _box.AskAsync("status")).GetProperty("messages").GetInt32());
    }

    [Fact]
    public async Task Invites_are_made_listed_and_revoked()
    {
        var invite = await _box.AskAsync("invite", "create", "--uses", "3", "--note", "for the choir", "--expires", "24");
        Assert.StartsWith("127.0.0.1:", invite.GetProperty("invite").GetString(), StringComparison.Ordinal);
        var id = invite.GetProperty("id").GetString()!;
        var table = await _box.DoAsync("invite", "list");
        Assert.Contains("0 of 3", table, StringComparison.Ordinal);
        Assert.Contains("good until", table, StringComparison.Ordinal);
        Assert.Contains("for the choir", table, StringComparison.Ordinal);

        Assert.Equal("Revoked.", await _box.DoAsync("invite", "revoke", id));
        var listed = (await _box.AskAsync("invite", "list")).EnumerateArray().Single(item => item.GetProperty("id").GetString() == id);
        Assert.True(listed.TryGetProperty("revoked", out _));
        Assert.Equal(1, (await RunningBox.CommandAsync(_directory.Path, "invite", "revoke", Somebody)).ExitCode);
    }

    [Fact]
    public async Task A_box_without_an_owner_prints_an_invite()
    {
        var invite = _box.Start.GetProperty("invite").GetString()!;
        Assert.Contains(_box.Id, invite, StringComparison.Ordinal);
        Assert.NotEmpty((await _box.AskAsync("invite", "list")).EnumerateArray());
    }

    [Fact]
    public async Task Blobs_come_back_as_they_were_added()
    {
        var bytes = new byte[200_000];
        new Random(1).NextBytes(bytes);
        var (added, got) = (_directory.In("added"), _directory.In("got"));
        await File.WriteAllBytesAsync(added, bytes, TestContext.Current.CancellationToken);
        var id = await _box.DoAsync("blobs", "add", added);
        Assert.Equal(id, "&" + Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(bytes)) + ".sha256");
        await _box.DoAsync("blobs", "get", id, "--output", got);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(got, TestContext.Current.CancellationToken));

        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "blobs", "get", "&AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.sha256");
        Assert.Equal(1, code);
        Assert.Contains("pipub blobs want", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_checks_beside_the_running_node()
    {
        await _box.DoAsync("publish", "--text", "one");
        var report = await _box.AskAsync("verify");
        Assert.True(report.GetProperty("clean").GetBoolean());
        Assert.Equal(1, report.GetProperty("messages").GetInt32());
        Assert.Contains("all is whole", await _box.DoAsync("verify"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("follow")]
    [InlineData("follow", "nobody")]
    [InlineData("blobs", "get", "nothing")]
    [InlineData("invite", "create", "--uses", "0")]
    [InlineData("invite", "create", "--uses", "many")]
    [InlineData("invite", "create", "--expires", "-1")]
    [InlineData("publish")]
    [InlineData("frobnicate")]
    [InlineData("whoami", "--frobnicate")]
    [InlineData("whoami", "--ssb-port", "seven")]
    [InlineData("blobs")]
    public async Task What_is_wrongly_asked_ends_with_2(params string[] arguments)
    {
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, arguments);
        Assert.Equal(2, code);
        Assert.NotEmpty(errors);
    }

    [Fact]
    public async Task A_peer_that_cannot_be_reached_is_a_failure_in_words()
    {
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "connect", $"net:127.0.0.1:1~shs:{Somebody[1..45]}");
        Assert.Equal(1, code);
        Assert.Contains("cannot be reached", errors, StringComparison.Ordinal);
        Assert.Contains(Somebody, await _box.DoAsync("peers"), StringComparison.Ordinal);
    }
}
