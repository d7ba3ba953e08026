using PiPub.Node.Backups;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Backups;

/// <summary>Putting a backup back: everything that was in it, and all or nothing whenever the plug is pulled.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-restore-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_backed_up_is_there_again_and_what_is_the_machines_stays()
    {
        var (file, pictures) = await OldBoxAsync();
        await PrepareAsync(file, commit: true);
        await using var box = KeptBox.Open(In("new"));
        Assert.True(box.WasReplaced);
        AssertIsOld(box, pictures);
        Assert.Equal("hash of 2", new AccessTable(box.State).PasswordHash);
        Assert.Equal("web-port = 1\nhops = 3\n", await File.ReadAllTextAsync(Path.Combine(In("new"), "pipub.conf"), Stop));
        Assert.Equal((false, 5), new OwnFeedTable(box.State).Read(box.Identity.Id));
        Assert.Equal(0, box.Messages.SequenceOf(KeptBox.Stranger.Id));

        // The key that was there before is kept beside.
        Assert.Contains(NewId.ToString(), await File.ReadAllTextAsync(Path.Combine(In("new"), "secret.replaced-1"), Stop), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(In("new"), "replacement")));
    }

    [Fact]
    public async Task Nothing_changes_before_it_is_decided()
    {
        var (file, _) = await OldBoxAsync();
        await PrepareAsync(file, commit: false);
        await AssertIsNewAsync();
        Assert.False(Directory.Exists(Path.Combine(In("new"), "replacement.new")));
    }

    [Fact]
    public async Task A_plug_pulled_at_any_step_leaves_the_old_state_or_the_new_one_whole()
    {
        var (file, pictures) = await OldBoxAsync();
        var steps = 0;
        for (var pulledAt = 0; ; pulledAt++)
        {
            Delete("new");
            await PrepareAsync(file, commit: true);
            var left = pulledAt;
            using (var data = DataDirectory.Open(In("new"), 0))
            {
                try
                {
                    Assert.True(DataReplacement.Complete(data, _ => Pull(ref left)));
                    break;
                }
                catch (TimeoutException)
                {
                    steps++;
                }

                // And once more in the very next start.
                left = pulledAt / 2;
                try
                {
                    _ = DataReplacement.Complete(data, _ => Pull(ref left));
                }
                catch (TimeoutException)
                {
                }
            }

            await using var box = KeptBox.Open(In("new"));
            AssertIsOld(box, pictures);
            Assert.Equal("hash of 2", new AccessTable(box.State).PasswordHash);
        }

        Assert.InRange(steps, 15, 100);
    }

    [Fact]
    public async Task A_plug_pulled_while_it_is_read_leaves_the_box_as_it_was()
    {
        var (file, _) = await OldBoxAsync();
        await using (var box = await KeptBox.CreateAsync(In("new"), 2, 3))
        {
            for (var length = 0; length < file.Length; length += 20_000)
            {
                using var restore = box.Restore();
                _ = await Assert.ThrowsAsync<BackupException>(() => restore.PrepareAsync(new MemoryStream(file[..length]), KeptBox.Passphrase, Stop));
                Assert.Null(restore.Prepared);
                Assert.Throws<RefusedException>(restore.Commit);
                Assert.False(Directory.Exists(Path.Combine(In("new"), "replacement.new")));
            }

            // What a killed process leaves behind.
            File.WriteAllText(Path.Combine(DataReplacement.Begin(In("new")), "secret"), "half");
        }

        await AssertIsNewAsync();
    }

    [Fact]
    public async Task A_disk_without_room_and_another_network_are_told_and_change_nothing()
    {
        var (file, _) = await OldBoxAsync();
        await using (var box = await KeptBox.CreateAsync(In("new"), 2, 3))
        {
            using var full = box.Restore(hasRoom: static () => false);
            Assert.Equal(BackupProblem.NoRoom, (await Assert.ThrowsAsync<BackupException>(() => full.PrepareAsync(new MemoryStream(file), KeptBox.Passphrase, Stop))).Problem);
            using var other = box.Restore(hmacKey: HmacKey.Parse(Convert.ToBase64String(new byte[32])));
            Assert.Equal(BackupProblem.OtherNetwork, (await Assert.ThrowsAsync<BackupException>(() => other.PrepareAsync(new MemoryStream(file), KeptBox.Passphrase, Stop))).Problem);
        }

        await AssertIsNewAsync();
    }

    [Fact]
    public async Task An_older_backup_of_the_same_box_does_not_hide_what_it_has_published_since()
    {
        byte[] file;
        await using (var box = await KeptBox.CreateAsync(In("new"), 1, 5))
        {
            file = await box.BackUpAsync();
            var author = new Intake.TestAuthor(1);
            var feed = author.WriteFeed(5, "of 1");
            _ = await box.Messages.AppendAsync(author.WriteFeed(8, "later", feed)[5..], 1, Stop);
            using var restore = box.Restore();
            _ = await restore.PrepareAsync(new MemoryStream(file), KeptBox.Passphrase, Stop);
            restore.Commit();
        }

        await using var older = KeptBox.Open(In("new"));
        Assert.Equal(5, older.Messages.SequenceOf(older.Identity.Id));
        Assert.Equal((false, 8), new OwnFeedTable(older.State).Read(older.Identity.Id));
    }

    [Fact]
    public async Task A_key_alone_is_put_back_without_anything_else()
    {
        var keys = new Intake.TestAuthor(1).Keys;
        await using (var box = await KeptBox.CreateAsync(In("new"), 2, 3))
        {
            using var restore = box.Restore();
            Assert.True((await restore.PrepareAsync(keys, Stop)).IsKeyOnly);
            restore.Commit();
        }

        await using var back = KeptBox.Open(In("new"));
        Assert.Equal(keys.Id, back.Identity.Id);
        Assert.Equal(0, back.Messages.MessageCount);
        Assert.Null(new OwnerTable(back.State).Owner);
        Assert.Equal("hash of 2", new AccessTable(back.State).PasswordHash);
        Assert.Equal((false, 0), new OwnFeedTable(back.State).Read(keys.Id));
    }

    [Fact]
    public async Task A_backup_of_a_box_that_was_put_back_can_be_put_back_again()
    {
        var (file, pictures) = await OldBoxAsync();
        for (var round = 0; round < 2; round++)
        {
            Delete("new");
            await PrepareAsync(file, commit: true);
            await using var box = KeptBox.Open(In("new"));
            AssertIsOld(box, pictures);
            file = await box.BackUpAsync();
        }
    }

    private static void Pull(ref int left)
    {
        if (left-- == 0)
        {
            throw new TimeoutException("The plug.");
        }
    }

    private static FeedId NewId => new Intake.TestAuthor(2).Id;

    private string In(string name) => Path.Combine(_directory, name);

    private void Delete(string name)
    {
        if (Directory.Exists(In(name)))
        {
            Directory.Delete(In(name), recursive: true);
        }
    }

    private async Task<(byte[] File, IReadOnlyList<BlobId> Pictures)> OldBoxAsync()
    {
        await using var old = await KeptBox.CreateAsync(In("old"), 1, 5, 1000, 150_000);
        return (await old.BackUpAsync(), old.Pictures);
    }

    private async Task PrepareAsync(byte[] file, bool commit)
    {
        await using var box = await KeptBox.CreateAsync(In("new"), 2, 3, 500);
        using var restore = box.Restore();
        _ = await restore.PrepareAsync(new MemoryStream(file), KeptBox.Passphrase, Stop);
        if (commit)
        {
            restore.Commit();
        }
    }

    private static void AssertIsOld(KeptBox box, IReadOnlyList<BlobId> pictures)
    {
        Assert.Equal(new Intake.TestAuthor(1).Id, box.Identity.Id);
        Assert.Equal((5, 5), (box.Messages.SequenceOf(box.Identity.Id), box.Messages.SequenceOf(KeptBox.Owner.Id)));
        Assert.Equal(KeptBox.Owner.Id, new OwnerTable(box.State).Owner);
        var invites = new InvitesTable(box.State);
        var invite = invites.Find(KeptBox.Invite)!;
        Assert.Equal((3, 1, "for “Mira”"), (invite.Total, invite.Used, invite.Note));
        Assert.Equal(KeptBox.Stranger.Id, Assert.Single(invites.UsesOf(KeptBox.Invite)).Feed);
        Assert.Equal([KeptBox.Listed], new ReplicateListTable(box.State).All());
        Assert.Equal(2, Assert.Single(new KnownAddressesTable(box.State).List()).Failures);
        Assert.All(pictures, picture => Assert.NotNull(box.Blobs.Size(picture)));
    }

    private async Task AssertIsNewAsync()
    {
        await using var box = KeptBox.Open(In("new"));
        Assert.False(box.WasReplaced);
        Assert.Equal(NewId, box.Identity.Id);
        Assert.Equal(3, box.Messages.SequenceOf(NewId));
        Assert.Equal((true, 1), new OwnFeedTable(box.State).Read(NewId));
    }
}
