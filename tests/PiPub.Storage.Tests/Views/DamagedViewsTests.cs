namespace PiPub.Storage.Tests.Views;

/// <summary>A card that forgets: wherever a byte of the views changes, verification at the latest notices, and they are made again.</summary>
public sealed class DamagedViewsTests : IDisposable
{
    // So many bytes apart, all kinds of pages and cells are met, in different places as the file grows.
    private const int Step = 61;

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task With_any_byte_changed_they_answer_as_before_or_are_made_again()
    {
        var written = new RandomMessages(8);
        await using (var box = await ViewsOverLog.Open(_directory).FollowAsync())
        {
            await box.AppendAsync(written.Take(300));
            await box.Views.WhenCaughtUpAsync(Stop);
        }

        string expected;
        await using (var box = await ViewsOverLog.Open(_directory).FollowAsync())
        {
            expected = box.Dump(written);
        }

        var whole = await File.ReadAllBytesAsync(_directory["views.sqlite"], Stop);
        var wrong = new List<string>();
        for (var at = 0; at < whole.Length; at += Step)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= (byte)(at % 3 == 0 ? 0xff : 1 << (at % 8));
            await File.WriteAllBytesAsync(_directory["views.sqlite"], damaged, Stop);
            try
            {
                await using var box = await ViewsOverLog.Open(_directory).FollowAsync();
                if (await AnswersAsync(box, written) != expected)
                {
                    wrong.Add($"byte {at} ({whole[at]} to {damaged[at]}): other answers");
                }
            }
            catch (Exception e)
            {
                wrong.Add($"byte {at} ({whole[at]} to {damaged[at]}): {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n').FirstOrDefault(static line => line.Contains("PiPub.Storage.Views", StringComparison.Ordinal))}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {whole.Length / Step}:\n{string.Join('\n', wrong.Take(60))}");
    }

    /// <summary>What a reader is told after verification, trying again when told so.</summary>
    private static async Task<string> AnswersAsync(ViewsOverLog box, RandomMessages written)
    {
        for (var again = 0; ; again++)
        {
            try
            {
                box.Views.CheckRows();
                return box.Dump(written);
            }
            catch (IOException) when (again < 3)
            {
                await box.Views.WhenCaughtUpAsync(Stop);
            }
        }
    }
}
