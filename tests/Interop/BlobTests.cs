using System.Text.Json;

namespace PiPub.Interop;

/// <summary>Blobs go through PiPub both ways, up to the largest that the field transfers.</summary>
public sealed class BlobTests
{
    /// <summary>ssb-blobs refuses a size of its maximum (5 MiB) and above.</summary>
    private const int Largest = (5 * 1024 * 1024) - 1;

    [Theory]
    [InlineData(Stack.Classic, Stack.Modern, 1)]
    [InlineData(Stack.Classic, Stack.Modern, Largest)]
    [InlineData(Stack.Modern, Stack.Classic, 65_536)]
    [InlineData(Stack.Classic, Stack.Modern, 65_536)]
    [InlineData(Stack.Modern, Stack.Classic, Largest)]
    public async Task What_one_client_has_and_another_wants_comes_through_PiPub(Stack owners, Stack seekers, int size)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await network.StartAsync(owners);
        var seeker = await network.StartAsync(seekers);
        await pub.WelcomeAsync(owner);
        await pub.WelcomeAsync(seeker);

        var blob = await owner.AddBlobAsync($"blob {owners} {size}", size);
        await seeker.WantBlobAsync(blob);

        Assert.Equal((size, blob), await seeker.ReadBlobAsync(blob));
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task What_PiPub_has_a_client_gets(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        await pub.WelcomeAsync(client);
        var file = Path.Combine(network.Directory, "picture");
        await File.WriteAllBytesAsync(file, MadeUpBytes(Largest), TestContext.Current.CancellationToken);

        var blob = (await pub.CommandAsync("blobs", "add", file)).GetProperty("id").GetString()!;
        await client.WantBlobAsync(blob);

        Assert.Equal((Largest, blob), await client.ReadBlobAsync(blob));
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task What_PiPub_wants_a_client_gives(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        await pub.WelcomeAsync(client);
        var blob = await client.AddBlobAsync($"given {stack}", Largest);

        await pub.CommandAsync("blobs", "want", blob);

        var copy = Path.Combine(network.Directory, "copy");
        var (exitCode, _, errors) = await pub.TryCommandAsync("blobs", "get", blob, "--output", copy);
        Assert.True(exitCode == 0, errors);
        Assert.Equal(Largest, new FileInfo(copy).Length);
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task A_blob_that_a_member_mentions_is_fetched_and_outlasts_their_absence(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var author = await network.StartAsync(stack);
        var reader = await network.StartAsync(stack);
        await pub.WelcomeAsync(author);
        await pub.WelcomeAsync(reader);
        var blob = await author.AddBlobAsync($"mentioned {stack}", 100_000);

        await author.PublishAsync($"Look: ![a picture]({blob})");
        await Eventually.BecomesTrueAsync(
            async () => (await pub.TryCommandAsync("blobs", "get", blob, "--output", Path.Combine(network.Directory, "copy"))).ExitCode == 0,
            "PiPub holds the blob that a member's message mentions");
        await author.DisposeAsync();
        await reader.WantBlobAsync(blob);

        Assert.Equal((100_000, blob), await reader.ReadBlobAsync(blob));
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task Asking_for_what_nobody_has_harms_nothing(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        await pub.WelcomeAsync(client);
        const string nobodys = "&AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256";

        await Assert.ThrowsAsync<JsPeerException>(() => client.CollectRemoteAsync(pub.Id, "blobs.get", $$"""[{"key":"{{nobodys}}","max":5242880}]"""));

        Assert.Equal(JsonValueKind.False, (await client.CallRemoteAsync(pub.Id, "blobs.has", $"""["{nobodys}"]""")).ValueKind);
        Assert.Equal([pub.Id], await client.PeersAsync());
    }

    private static byte[] MadeUpBytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }
}
