using System.Net;
using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Tests.LegacyLogs;
using PiPub.Web.Import;

namespace PiPub.Tests.Face;

/// <summary>A log that a browser uploads, by a plain form.</summary>
public sealed class ImportUploadTests
{
    private const string Page = "/setup/import";
    private static readonly KeyPair Mira = KeyPair.Generate();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uploaded_log_is_imported_and_its_file_is_gone()
    {
        await using var owned = await OwnedBox.StartAsync();
        // Larger than any other form may be.
        var log = Log(400);

        await owned.UploadAsync(log, "log.offset");

        Assert.Contains("Your old messages are here", await owned.ReadUntilAsync("Your old messages are here"), StringComparison.Ordinal);
        var feeds = await owned.Box.AskAsync("feeds");
        Assert.Equal(400, feeds.EnumerateArray().Single(static feed => feed.GetProperty("id").GetString() == Mira.Id.ToString()).GetProperty("sequence").GetInt32());
        Assert.Empty(owned.Uploads);
    }

    [Fact]
    public async Task What_cannot_be_used_is_told_and_leaves_nothing()
    {
        await using var owned = await OwnedBox.StartAsync();
        await owned.UploadAsync("no log"u8.ToArray(), "notes.txt");
        await owned.ReadUntilAsync("That file is no log of ssb-server");

        await owned.UploadAsync([], "");
        await owned.ReadUntilAsync("Choose a file first.");

        foreach (var (secret, why) in ((string, string)[])
        [
            ("""{"curve":"k256","public":"x.k256","private":"y.k256"}""", "Its curve is &quot;k256&quot;"),
            ("-----BEGIN PGP MESSAGE-----", "Its private key is not 64 bytes"),
            ("{broken", "is not JSON"),
        ])
        {
            await owned.UploadAsync(Log(1), "log.offset", ("secret", secret), ("off", "yes"));
            Assert.Contains("take the protection off first", await owned.ReadUntilAsync(why), StringComparison.Ordinal);
        }

        await owned.UploadAsync(Log(1), "log.offset", ("secret", SecretText.Format(Mira)));
        await owned.ReadUntilAsync("Confirm that the old pub will never run again with this key.");
        Assert.Empty(owned.Uploads);
    }

    [Fact]
    public async Task A_form_from_elsewhere_or_without_its_token_first_is_not_taken()
    {
        await using var owned = await OwnedBox.StartAsync();
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Log(1)), "log", "log.offset" } };
        Assert.Equal(HttpStatusCode.Redirect, (await owned.Visitor.PostAsync(ImportEndpoint.Upload, form)).StatusCode);
        await owned.ReadUntilAsync("This page was open for too long.");

        using var forged = new MultipartFormDataContent { { new StringContent("CfDJ8AAAA"), "__RequestVerificationToken" }, { new ByteArrayContent(Log(1)), "log", "log.offset" } };
        Assert.Equal(HttpStatusCode.Redirect, (await owned.Visitor.PostAsync(ImportEndpoint.Upload, forged)).StatusCode);
        await owned.ReadUntilAsync("This page was open for too long.");
        Assert.DoesNotContain("Your old messages", await owned.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_cannot_upload()
    {
        await using var owned = await OwnedBox.StartAsync();
        using var stranger = new Visitor(owned.Box);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Log(1)), "log", "log.offset" } };
        var answer = await stranger.PostAsync(ImportEndpoint.Upload, form);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain("This page was open for too long.", await owned.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_lies_in_the_import_folder_is_offered()
    {
        using var shelf = new TemporaryDirectory();
        await using var owned = await OwnedBox.StartAsync("--import-directory", shelf.Path);
        Assert.Contains("Nothing is there. Copy the whole folder .ssb", await owned.ReadAsync(), StringComparison.Ordinal);

        var old = Directory.CreateDirectory(Path.Combine(shelf.Path, ".ssb", "flume")).Parent!.FullName;
        await File.WriteAllBytesAsync(Path.Combine(old, "flume", "log.offset"), Log(2), Stop);
        await File.WriteAllTextAsync(Path.Combine(old, "secret"), SecretText.Format(Mira), Stop);
        var page = await owned.ReadAsync();
        Assert.Contains("<code>.ssb</code>", page, StringComparison.Ordinal);
        Assert.Contains("of messages, its secret", page, StringComparison.Ordinal);
    }

    private static byte[] Log(int messages)
    {
        var (values, tip) = (new List<string>(), default(FeedTip));
        for (var i = 0; i < messages; i++)
        {
            var message = ClassicFeed.Create(Mira, tip, 1_700_000_000_000 + i, """{"type":"post","text":"old"}"""u8.ToArray());
            values.Add(WrittenLog.Envelope(Encoding.UTF8.GetString(message.Value.Span)));
            tip = new FeedTip(message.Sequence, message.Id);
        }

        return WrittenLog.Flume(4, values);
    }

    /// <summary>A box with its owner, signed in.</summary>
    private sealed class OwnedBox : IAsyncDisposable
    {
        private readonly TemporaryDirectory _directory = new();

        public RunningBox Box { get; private set; } = null!;

        public Visitor Visitor { get; private set; } = null!;

        /// <summary>The files of uploads that are there now.</summary>
        public IEnumerable<string> Uploads => Directory.Exists(Path.Combine(_directory.Path, "uploads")) ? Directory.EnumerateFiles(Path.Combine(_directory.Path, "uploads")) : [];

        public static async Task<OwnedBox> StartAsync(params string[] settings)
        {
            var owned = new OwnedBox();
            owned.Box = await RunningBox.StartAsync(owned._directory.Path, settings);
            owned.Visitor = new Visitor(owned.Box);
            await owned.Visitor.ClaimAsync(owned.Box, "correct horse");
            return owned;
        }

        public async Task UploadAsync(byte[] log, string name, params (string Name, string Value)[] fields)
        {
            var (tokenName, token) = await Visitor.TokenAsync(Page);
            using var form = new MultipartFormDataContent { { new StringContent(token), tokenName } };
            form.Add(new ByteArrayContent(log), "log", name.Length == 0 ? "\"\"" : name);
            foreach (var (field, value) in fields)
            {
                form.Add(new StringContent(value), field);
            }

            var answer = await Visitor.PostAsync(ImportEndpoint.Upload, form);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            Assert.EndsWith(Page, answer.Headers.Location!.ToString(), StringComparison.Ordinal);
        }

        public async Task<string> ReadAsync() => await (await Visitor.GetAsync(Page)).Content.ReadAsStringAsync(Stop);

        /// <summary>Reads the page until it says something.</summary>
        public async Task<string> ReadUntilAsync(string words)
        {
            var page = "";
            await RunningBox.UntilAsync(async () => (page = await ReadAsync()).Contains(words, StringComparison.Ordinal));
            return page;
        }

        public async ValueTask DisposeAsync()
        {
            Visitor.Dispose();
            await Box.DisposeAsync();
            _directory.Dispose();
        }
    }
}
