using PiPub.Node.Identity;
using PiPub.Node.Import;
using PiPub.Node.Publishing;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Import;

/// <summary>Going on as another pub.</summary>
public sealed class OldIdentityTests
{
    private static readonly TestAuthor Old = new(50);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_prepared_before_all_is_confirmed()
    {
        await using var import = new TestImport();
        var order = new ImportOrder(null, "") { Identity = Old.Keys };
        Assert.Contains("never run again", Assert.Throws<ImportRefusedException>(() => import.Importer.Start(order)).Message, StringComparison.Ordinal);

        await PublishAsync(import, $$"""{"type":"about","about":"{{import.Box.Id}}","name":"Kitchen"}""");
        Assert.False(import.Importer.WouldReplaceIdentity);
        await PublishAsync(import, $$"""{"type":"contact","contact":"{{Old.Id}}","following":true}""");
        Assert.True(import.Importer.WouldReplaceIdentity);
        order = order with { IsOldPubOff = true };
        Assert.Contains("published messages as itself", Assert.Throws<ImportRefusedException>(() => import.Importer.Start(order)).Message, StringComparison.Ordinal);
        Assert.Contains("already is", Assert.Throws<ImportRefusedException>(() => import.Importer.Start(order with { Identity = import.Box.Keys })).Message, StringComparison.Ordinal);
        Assert.False(IdentityChange.IsPrepared(import.Data));

        var result = await import.RunAsync(order with { MayReplace = true });
        Assert.Equal((ImportState.Finished, Old.Id, 0, 1), (result.State, result.Identity!.Value, result.IdentitySequence, import.Restarts));
        Assert.True(IdentityChange.IsPrepared(import.Data));
        Assert.Equal((false, 0), import.OwnFeedTable.Read(Old.Id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_feed_is_free_only_where_the_owner_says_that_it_is_whole(bool isComplete)
    {
        await using var import = new TestImport();
        var source = import.Write(Old.WriteFeed(5));
        var result = await import.RunAsync(new ImportOrder(source, "old") { Identity = Old.Keys, IsOldPubOff = true, IsComplete = isComplete });
        Assert.Equal(5, result.IdentitySequence);

        var guard = new OwnFeedGuard(Old.Id, import.Door.Store, import.Door.Forks, new OwnFeedTable(import.Door.State), TimeProvider.System);
        Assert.Equal(isComplete, guard.MayPublish(out var why));
        if (!isComplete)
        {
            Assert.Contains("0 of 2 peers", why!.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_box_that_lost_its_log_is_free_again_with_the_owners_copy_of_it_and_not_with_another_log()
    {
        await using var import = new TestImport();
        import.OwnFeedTable.Write(import.Box.Id, isFree: true, reached: 4);
        var guard = import.Guard;
        _ = await import.RunAsync(new ImportOrder(import.Write(Old.WriteFeed(5)), "another") { IsComplete = true });
        Assert.False(guard.MayPublish(out _));
        _ = await import.RunAsync(new ImportOrder(import.Write(import.Box.WriteFeed(6)), "mine"));
        Assert.False(guard.MayPublish(out _));

        _ = await import.RunAsync(new ImportOrder(import.Write(import.Box.WriteFeed(6)), "mine") { IsComplete = true });
        Assert.True(guard.MayPublish(out _));
    }

    [Fact]
    public void The_next_start_takes_it_over_and_keeps_every_former_secret()
    {
        using var state = new TestState();
        var first = SecretFile.ReadOrCreate(state.Directory, out _);
        new OwnerTable(state.Database).TrySetFirst(Old.Id, DateTimeOffset.UnixEpoch);
        new BlobTable(state.Database).Cursor = 77;
        Directory.CreateDirectory(Path.Combine(state.Directory, "clocks"));
        File.WriteAllText(Path.Combine(state.Directory, "clocks", "peer"), "told");
        var before = File.ReadAllText(Path.Combine(state.Directory, "secret"));

        IdentityChange.Prepare(state.Directory, new OwnFeedTable(state.Database), Old.Keys, 3, isComplete: true);
        Assert.Equal(before, File.ReadAllText(Path.Combine(state.Directory, "secret")));

        // As if the plug had been pulled after the copy was made: it is not made twice.
        File.WriteAllText(Path.Combine(state.Directory, "secret.replaced-1"), before);
        Assert.EndsWith("secret.replaced-1", IdentityChange.TakeOver(state.Directory, state.Database), StringComparison.Ordinal);

        Assert.Equal(Old.Id, SecretFile.ReadOrCreate(state.Directory, out var isNew).Id);
        Assert.False(isNew);
        Assert.False(IdentityChange.IsPrepared(state.Directory));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(Path.Combine(state.Directory, "secret")));
        Assert.Equal((true, 3), new OwnFeedTable(state.Database).Read(Old.Id));
        Assert.Null(new OwnerTable(state.Database).Owner);
        Assert.Equal(0, new BlobTable(state.Database).Cursor);
        Assert.False(Directory.Exists(Path.Combine(state.Directory, "clocks")));

        var third = KeyPair.Generate();
        IdentityChange.Prepare(state.Directory, new OwnFeedTable(state.Database), third, 0, isComplete: true);
        Assert.EndsWith("secret.replaced-2", IdentityChange.TakeOver(state.Directory, state.Database), StringComparison.Ordinal);
        Assert.Equal(first.Id, SecretFile.ReadFrom(Path.Combine(state.Directory, "secret.replaced-1")).Id);
        Assert.Equal(Old.Id, SecretFile.ReadFrom(Path.Combine(state.Directory, "secret.replaced-2")).Id);
        Assert.Equal((false, 0), new OwnFeedTable(state.Database).Read(third.Id));
    }

    private static async Task PublishAsync(TestImport import, string content)
    {
        var message = ClassicFeed.Create(import.Box.Keys, import.Door.Store.Tip(import.Box.Id), 1_700_000_000_000, System.Text.Encoding.UTF8.GetBytes(content));
        _ = await import.Door.Store.AppendAsync([message], 1, Stop);
    }
}
