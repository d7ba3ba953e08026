using FsCheck;
using FsCheck.Fluent;
using PiPub.Node.Backups;

namespace PiPub.Node.Tests.Backups;

/// <summary>The file: what goes in comes out, and nothing else is ever taken for one.</summary>
public sealed class BackupFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-backup-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_backup_tells_whose_it_is_and_how_much_is_in_it()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1, 5, 10, 200_000);
        var summary = await CheckAsync(await box.BackUpAsync());
        Assert.Equal((box.Identity.Id, "Kitchen", 5, "1.2.3"), (summary.About.Box, summary.About.Name, summary.About.Sequence, summary.About.Version));
        Assert.Equal(KeptBox.Owner.Id, summary.About.Owner);
        Assert.Equal((10, 2, 1), (summary.Messages, summary.Blobs, summary.Invites));
    }

    [Fact]
    public async Task Nothing_of_what_is_in_it_can_be_read_in_the_file()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1);
        var text = System.Text.Encoding.Latin1.GetString(await box.BackUpAsync());
        foreach (var secret in (string[])["ed25519", "Kitchen", "author", "hops", KeptBox.Passphrase])
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Another_passphrase_does_not_open_it()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1);
        var file = await box.BackUpAsync();
        Assert.Equal(BackupProblem.WrongPassphrase, await ProblemAsync(file, "Four words in a row"));
        Assert.Equal(BackupProblem.WrongPassphrase, await ProblemAsync(file, ""));
    }

    [Fact]
    public async Task A_byte_that_was_changed_anywhere_is_noticed()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1, 5, 150_000);
        var file = await box.BackUpAsync();
        Assert.InRange(file.Length, 3 * BackupHeader.PieceBytes / 2, int.MaxValue);

        // Magic, version, costs, salt, check, stream header; then first, middle and last bytes of every piece.
        var places = Enumerable.Range(0, BackupHeader.Length).ToList();
        for (var piece = BackupHeader.Length; piece < file.Length; piece += BackupHeader.PieceBytes + 17)
        {
            places.AddRange([piece, piece + 1, Math.Min(piece + 1000, file.Length - 1), Math.Min(piece + BackupHeader.PieceBytes + 16, file.Length - 1)]);
        }

        foreach (var place in places)
        {
            var changed = (byte[])file.Clone();
            changed[place] ^= 0x40;
            var problem = await ProblemAsync(changed);
            var expected = place switch
            {
                < 12 => [BackupProblem.NotABackup],
                12 => [BackupProblem.NewerVersion],
                < 18 => [BackupProblem.Damaged, BackupProblem.WrongPassphrase],
                < 50 => [BackupProblem.WrongPassphrase],
                _ => (BackupProblem[])[BackupProblem.Damaged],
            };
            Assert.True(expected.Contains(problem), $"byte {place}: {problem}");
        }
    }

    [Fact]
    public async Task A_file_that_was_cut_off_anywhere_is_noticed()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1, 5, 150_000);
        var file = await box.BackUpAsync();
        for (var length = 0; length <= BackupHeader.Length + 17; length++)
        {
            Assert.Equal(length == 0 ? BackupProblem.NotABackup : BackupProblem.CutOff, await ProblemAsync(file[..length], mayBeDamaged: length == BackupHeader.Length + 17));
        }

        for (var border = BackupHeader.Length; border < file.Length; border += BackupHeader.PieceBytes + 17)
        {
            Assert.Equal(BackupProblem.CutOff, await ProblemAsync(file[..border]));
            foreach (var near in (int[])[border - 1, border + 1, border + 17, border + 1000])
            {
                Assert.Contains(await ProblemAsync(file[..Math.Min(near, file.Length - 1)]), (BackupProblem[])[BackupProblem.CutOff, BackupProblem.Damaged]);
            }
        }

        Assert.Equal(BackupProblem.Damaged, await ProblemAsync(file[..^1]));
        Assert.Equal(BackupProblem.Damaged, await ProblemAsync([.. file, 0]));
    }

    [Fact]
    public async Task Pieces_that_changed_places_are_noticed()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1, 5, 300_000);
        var file = await box.BackUpAsync();
        const int Piece = BackupHeader.PieceBytes + 17;
        var (first, second) = (BackupHeader.Length, BackupHeader.Length + Piece);
        byte[] swapped = [.. file[..first], .. file[second..(second + Piece)], .. file[first..second], .. file[(second + Piece)..]];
        Assert.Equal(file.Length, swapped.Length);
        Assert.Equal(BackupProblem.Damaged, await ProblemAsync(swapped));
        Assert.Equal(BackupProblem.Damaged, await ProblemAsync([.. file[..second], .. file[(second + Piece)..]]));
    }

    [Fact]
    public async Task A_made_up_file_cannot_ask_for_all_memory_or_hours()
    {
        await using var box = await KeptBox.CreateAsync(_directory, 1);
        var file = await box.BackUpAsync();
        foreach (var (at, bytes) in ((int, byte[])[])[(13, [255]), (13, [0]), (14, [0, 0, 0, 127]), (14, [255, 255, 255, 255]), (14, [1, 0, 0, 0])])
        {
            var changed = (byte[])file.Clone();
            bytes.CopyTo(changed, at);
            Assert.Equal(BackupProblem.Damaged, await ProblemAsync(changed));
        }
    }

    [Fact]
    public void Whatever_is_sealed_is_opened_as_it_was_in_pieces_of_any_size()
    {
        var cuts = Gen.Choose(0, 3).SelectMany(_ => Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, 300), Gen.Choose(65_500, 65_600), Gen.Choose(131_000, 131_100)), 4));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll(cuts.ToArbitrary(), sizes => SealAndOpenAsync(sizes).GetAwaiter().GetResult()));
    }

    [Fact]
    public void Records_that_are_none_never_do_anything_but_be_refused()
    {
        // Sealed properly, so that the parser itself has to refuse them.
        var bytes = Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, 9), Gen.Choose(0, 255))).Select(static values => values.Select(static value => (byte)value).ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(bytes.ToArbitrary(), content => IsRefusedAsync(content).GetAwaiter().GetResult()));
    }

    [Fact]
    public async Task A_record_that_says_to_be_huge_takes_no_memory()
    {
        foreach (var kind in Enumerable.Range(0, 12))
        {
            Assert.True(await IsRefusedAsync([(byte)kind, 255, 255, 255, 127, 1, 2, 3]));
            Assert.True(await IsRefusedAsync([(byte)kind, 255, 255, 255, 255]));
        }
    }

    [Fact]
    public void The_key_at_rest_is_for_its_user_only_and_opens_what_the_passphrase_opens()
    {
        Assert.Null(BackupKey.Load(_directory));
        BackupKey.Create("something before", KeptBox.Cheap).Save(_directory);
        var key = BackupKey.Create(KeptBox.Passphrase, KeptBox.Cheap);
        key.Save(_directory);
        var path = Path.Combine(_directory, "backup-key");
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(path));
        Assert.DoesNotContain(KeptBox.Passphrase, File.ReadAllText(path), StringComparison.Ordinal);
        var read = BackupKey.Load(_directory)!;
        var (one, other) = (new byte[BackupHeader.Length], new byte[BackupHeader.Length]);
        var state = new byte[52];
        BackupHeader.Write(key, one, state);
        BackupHeader.Write(read, other, state);
        Assert.Equal(one[..50], other[..50]);
        Assert.NotEqual(one[50..], other[50..]);
        BackupHeader.Read(other, KeptBox.Passphrase, state);
    }

    private static async Task<bool> SealAndOpenAsync(int[] sizes)
    {
        using var file = new MemoryStream();
        var random = new Random(sizes.Length);
        var content = new MemoryStream();
        var output = await SealedOutput.BeginAsync(file, BackupKey.Create(KeptBox.Passphrase, KeptBox.Cheap), Stop);
        foreach (var size in sizes)
        {
            var bytes = new byte[size];
            random.NextBytes(bytes);
            content.Write(bytes);
            await output.WriteAsync(bytes, Stop);
        }

        await output.CompleteAsync(Stop);
        Assert.Equal(output.Written, file.Length);
        file.Position = 0;
        var input = await SealedInput.BeginAsync(file, KeptBox.Passphrase, Stop);
        var opened = new MemoryStream();
        while (await input.ReadAsync(1000, Stop) is { IsEmpty: false } some)
        {
            opened.Write(some.Span);
        }

        return opened.ToArray().AsSpan().SequenceEqual(content.ToArray());
    }

    private static async Task<bool> IsRefusedAsync(byte[] content)
    {
        using var file = new MemoryStream();
        var output = await SealedOutput.BeginAsync(file, BackupKey.Create(KeptBox.Passphrase, KeptBox.Cheap), Stop);
        await output.WriteAsync(content, Stop);
        await output.CompleteAsync(Stop);
        return await ProblemAsync(file.ToArray()) == BackupProblem.Damaged;
    }

    private static Task<BackupSummary> CheckAsync(byte[] file, string passphrase = KeptBox.Passphrase) =>
        BackupReader.CheckAsync(new MemoryStream(file), passphrase, Stop);

    private static async Task<BackupProblem> ProblemAsync(byte[] file, string passphrase = KeptBox.Passphrase, bool mayBeDamaged = false)
    {
        var problem = (await Assert.ThrowsAsync<BackupException>(() => CheckAsync(file, passphrase))).Problem;
        return mayBeDamaged && problem == BackupProblem.Damaged ? BackupProblem.CutOff : problem;
    }
}
