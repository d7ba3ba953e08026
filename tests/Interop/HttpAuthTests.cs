using System.Net;
using System.Text.RegularExpressions;

namespace PiPub.Interop;

/// <summary>Signing in to the box's pages with a real app: ssb-http-auth-client 1.1.1.</summary>
public sealed partial class HttpAuthTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_owners_app_signs_a_browser_in_that_shows_its_link_and_out_again()
    {
        await using var network = new TestNetwork();
        var (pub, app) = await StartAsync(network);
        using var browser = new Browser(pub);
        var page = await browser.TextAsync("/sign-in/app");
        var link = WebUtility.HtmlDecode(Link().Match(page).Value);
        var ticket = Ticket().Match(page).Groups[1].Value;
        Assert.NotEqual("", ticket);

        using var events = await browser.ListenAsync("/sign-in/app/events?ticket=" + ticket);
        Assert.Equal("event: ping", await events.ReadLineAsync(Stop));
        Assert.Equal("/sign-in/app?ticket=" + ticket + "&problem=notyet", await browser.PostAsync("/sign-in/app?ticket=" + ticket, "/access/sign-in-app", ("ticket", ticket)));
        Assert.True((await app.SignInBrowserAsync(link)).GetBoolean());
        string? line;
        do
        {
            line = await events.ReadLineAsync(Stop);
        }
        while (line is not null && !line.StartsWith("event: s", StringComparison.Ordinal) && !line.StartsWith("event: f", StringComparison.Ordinal));
        Assert.Equal("event: success", line);

        // Somebody else who saw the picture has no use of it.
        using (var other = new Browser(pub))
            Assert.Equal("/sign-in?problem=app", await other.PostAsync("/sign-in", "/access/sign-in-app", ("ticket", new string('0', 64))));
        Assert.Equal("/", await browser.PostAsync("/sign-in", "/access/sign-in-app", ("ticket", ticket)));
        Assert.Contains("by the app", await browser.TextAsync("/settings"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<JsPeerException>(() => app.SignInBrowserAsync(link));

        Assert.True((await app.SignOutBrowsersAsync(pub.Id)).GetBoolean());
        Assert.Equal("/sign-in", await browser.LedToAsync("/"));
    }

    [Fact]
    public async Task The_owners_app_sends_a_browser_that_is_signed_in_when_it_comes()
    {
        await using var network = new TestNetwork();
        var (pub, app) = await StartAsync(network);
        var url = new Uri(await app.SignInUrlAsync(pub.Id));
        Assert.Equal(("https", "127.0.0.1", "/login"), (url.Scheme, url.Host, url.AbsolutePath));

        using var browser = new Browser(pub);
        var page = await browser.GetAsync(url.PathAndQuery);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("url=/\"", await page.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Contains("__Host-pipub-session=", string.Join(' ', page.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/")).StatusCode);

        // What the app did not ask for it does not sign; nor anything for a friend.
        using var stranger = new Browser(pub);
        var made = $"/login?ssb-http-auth=1&cid={Uri.EscapeDataString(app.Id)}&cc={Uri.EscapeDataString(Convert.ToBase64String(new byte[32]))}";
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync(made)).StatusCode);
        var friend = await network.StartModernAsync();
        await pub.WelcomeAsync(friend);
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync(new Uri(await friend.SignInUrlAsync(pub.Id)).PathAndQuery)).StatusCode);
        Assert.Equal("/sign-in", await stranger.LedToAsync("/"));
        Assert.Equal("/sign-in", await stranger.LedToAsync("/login"));
        var link = WebUtility.HtmlDecode(Link().Match(await stranger.TextAsync("/sign-in/app")).Value);
        await Assert.ThrowsAsync<JsPeerException>(() => friend.SignInBrowserAsync(link));
    }

    /// <summary>A box that is claimed and whose owner wants it, and the owner's app.</summary>
    private static async Task<(PiPubProcess Pub, JsPeer App)> StartAsync(TestNetwork network)
    {
        var pub = await network.StartPiPubAsync();
        using var owner = new Browser(pub);
        Assert.Equal("/setup", await owner.PostAsync("/claim", "/access/claim", ("code", pub.ClaimCode!), ("password", Password), ("again", Password)));
        var app = await network.StartModernAsync();
        await app.RedeemAsync(pub.Invite!);
        await app.ConnectAsync(pub.Address);
        using (var early = new Browser(pub))
            Assert.Equal("/sign-in", await early.LedToAsync("/sign-in/app"));
        Assert.Equal("/settings", await owner.PostAsync("/settings", "/access/app", ("app", "on")));
        return (pub, app);
    }

    [GeneratedRegex("ssb:experimental[^\"<]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex("""name="ticket" value="([0-9a-f]+)""", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ticket();

    [GeneratedRegex("""<input type="hidden" name="(__Req[^"]+)" value="([^"]+)" """, RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FormToken();

    /// <summary>A browser without eyes, by HTTPS. Who vouches for the box is another test's business.</summary>
    private sealed class Browser : IDisposable
    {
        private readonly HttpClient http;

        public Browser(PiPubProcess pub)
        {
            var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
#pragma warning disable CA5359 // A test of what comes after.
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
            http = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{pub.Https}") };
            http.DefaultRequestHeaders.Add("Accept", "text/html");
        }

        public Task<HttpResponseMessage> GetAsync(string path) => http.GetAsync(path, Stop);

        public async Task<string> TextAsync(string path)
        {
            var answer = await GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync(Stop);
        }

        public async Task<string> LedToAsync(string path)
        {
            var answer = await GetAsync(path);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            return new Uri(http.BaseAddress!, answer.Headers.Location!).PathAndQuery;
        }

        public async Task<StreamReader> ListenAsync(string path) => new(await http.GetStreamAsync(path, Stop));

        /// <summary>Sends a form with the token of a page; answers where that leads.</summary>
        public async Task<string> PostAsync(string page, string action, params (string Name, string Value)[] fields)
        {
            var token = FormToken().Match(await TextAsync(page));
            Assert.True(token.Success, $"{page} has no form.");
            var form = new FormUrlEncodedContent([.. fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)), KeyValuePair.Create(token.Groups[1].Value, WebUtility.HtmlDecode(token.Groups[2].Value))]);
            var answer = await http.PostAsync(action, form, Stop);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            return answer.Headers.Location!.ToString();
        }

        public void Dispose() => http.Dispose();
    }
}
