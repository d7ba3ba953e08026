using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PiPub.Storage.State;

namespace PiPub.Tests.Face;

/// <summary>The pages by HTTPS, which the box vouches for itself.</summary>
public sealed class HttpsTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("pipub.local")]
    public async Task Whoever_trusts_the_authority_gets_through_without_a_warning(string name)
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var authority = await AuthorityAsync(box);
        using var visitor = new Visitor(box, authority, name);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/claim")).StatusCode);
    }

    [Fact]
    public async Task Whoever_does_not_trust_it_or_asks_for_another_name_gets_none()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(Path.Combine(directory.Path, "one"));
        await using var other = await RunningBox.StartAsync(Path.Combine(directory.Path, "two"));
        using var authority = await AuthorityAsync(box);
        using var astray = new Visitor(other, authority);
        await AssertIsRefusedAsync(astray);
        using var misled = new Visitor(box, authority, "attic.local");
        await AssertIsRefusedAsync(misled);

        static async Task AssertIsRefusedAsync(Visitor visitor) =>
            Assert.IsType<AuthenticationException>((await Assert.ThrowsAsync<HttpRequestException>(() => visitor.GetAsync("/claim"))).InnerException);
    }

    [Fact]
    public async Task The_pages_show_the_fingerprint_of_what_can_be_fetched()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var authority = await AuthorityAsync(box);
        var fingerprint = string.Join(':', Convert.ToHexString(SHA256.HashData(authority.RawData)).Chunk(2).Select(static pair => new string(pair)));
        using var visitor = new Visitor(box);
        Assert.Contains(fingerprint, (await TextAsync(visitor, "/claim")).Replace("<wbr>", "", StringComparison.Ordinal), StringComparison.Ordinal);
        await visitor.ClaimAsync(box, Password);
        Assert.Contains(fingerprint, (await TextAsync(visitor, "/settings")).Replace("<wbr>", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_of_the_secure_address_is_none_of_the_other_and_both_can_be_used_in_turn()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var authority = await AuthorityAsync(box);
        using var secure = new Visitor(box, authority);
        var claimed = await secure.ClaimAsync(box, Password);
        var cookies = claimed.Headers.GetValues("Set-Cookie").ToList();
        var session = Assert.Single(cookies, static cookie => cookie.StartsWith("__Host-pipub-session=", StringComparison.Ordinal));
        foreach (var part in (string[])["secure", "httponly", "samesite=strict", "path=/"])
        {
            Assert.Contains(part, session, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(HttpStatusCode.OK, (await secure.GetAsync("/")).StatusCode);
        Assert.False((await secure.GetAsync("/")).Headers.Contains("Strict-Transport-Security"));

        using var plain = new Visitor(box);
        plain.Cookies.Add(new Uri("http://127.0.0.1/"), new Cookie("pipub-session", session.Split(';')[0].Split('=')[1]));
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/")).StatusCode);
        using var both = new Visitor(box);
        both.Cookies.Add(new Uri("http://127.0.0.1/"), new Cookie("__Host-pipub-session", session.Split(';')[0].Split('=')[1]));
        both.Cookies.Add(new Uri("http://127.0.0.1/"), new Cookie("__Host-pipub-form", "whatever"));
        Assert.Equal(HttpStatusCode.Redirect, (await both.GetAsync("/")).StatusCode);
        Assert.Equal("/", (await both.FillInAsync("/sign-in", "/access/sign-in", ("password", Password))).Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.OK, (await both.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Browsers_are_sent_to_the_secure_address_once_the_owner_wants_it_there_and_until_not()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var authority = await AuthorityAsync(box);
        using var plain = new Visitor(box);
        await plain.ClaimAsync(box, Password);

        // Not from here: this browser has not shown that it gets there.
        Assert.DoesNotContain("name=\"always\"", await TextAsync(plain, "/settings"), StringComparison.Ordinal);
        _ = await plain.FillInAsync("/settings", "/access/secure", ("always", "on"));
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/")).StatusCode);

        using var secure = new Visitor(box, authority);
        _ = await secure.FillInAsync("/sign-in", "/access/sign-in", ("password", Password));
        Assert.Contains("Always use the secure address", await TextAsync(secure, "/settings"), StringComparison.Ordinal);
        Assert.Equal("/settings", (await secure.FillInAsync("/settings", "/access/secure", ("always", "on"))).Headers.Location!.ToString());

        var https = $"https://127.0.0.1:{box.Start.GetProperty("https").GetInt32()}";
        var sent = await plain.GetAsync("/settings?a=b%20c");
        Assert.Equal(HttpStatusCode.TemporaryRedirect, sent.StatusCode);
        Assert.Equal($"{https}/settings?a=b%20c", sent.Headers.Location!.OriginalString);
        Assert.True(sent.Headers.CacheControl!.NoStore);
        Assert.False(sent.Headers.Contains("Strict-Transport-Security"));
        var form = await plain.PostAsync("/access/sign-in", ("password", Password));
        Assert.Equal((HttpStatusCode.SeeOther, $"{https}/"), (form.StatusCode, form.Headers.Location!.OriginalString));

        // What had been signed in with by HTTP may have been read along: it is worth nothing any more.
        Assert.Equal(HttpStatusCode.OK, (await secure.GetAsync("/")).StatusCode);
        using (var state = StateDatabase.Open(directory.Path))
        {
            Assert.Single(new AccessTable(state).Sessions());
        }

        // Another name of the box, for which the certificate is not good; strangers; programs; peers.
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/join?invite=x")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/authority.crt")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await plain.GetAsync("/sign-in", host: "203.0.113.5")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await plain.GetAsync("/metrics", token: new string('0', 64))).StatusCode);
        Assert.Equal(HttpStatusCode.TemporaryRedirect, (await plain.GetAsync("/metrics")).StatusCode);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{box.Start.GetProperty("web").GetInt32()}/"), Stop);
        Assert.Equal(WebSocketState.Open, socket.State);

        _ = await secure.FillInAsync("/settings", "/access/secure", ("always", "off"));
        Assert.Equal("/sign-in", (await plain.GetAsync("/")).Headers.Location!.ToString());
    }

    [Fact]
    public async Task The_choice_outlasts_a_restart_and_ends_with_the_secure_address()
    {
        using var directory = new TemporaryDirectory();
        await using (var box = await RunningBox.StartAsync(directory.Path))
        {
            using var authority = await AuthorityAsync(box);
            using var secure = new Visitor(box, authority);
            await secure.ClaimAsync(box, Password);
            _ = await secure.FillInAsync("/settings", "/access/secure", ("always", "on"));
        }

        await using (var box = await RunningBox.StartAsync(directory.Path))
        {
            using var plain = new Visitor(box);
            Assert.Equal(HttpStatusCode.TemporaryRedirect, (await plain.GetAsync("/")).StatusCode);
        }

        await using (var box = await RunningBox.StartAsync(directory.Path, "--https-port", "off"))
        {
            using var plain = new Visitor(box);
            Assert.Equal("/sign-in", (await plain.GetAsync("/")).Headers.Location!.ToString());
            Assert.Equal(HttpStatusCode.NotFound, (await plain.GetAsync("/authority.crt")).StatusCode);
            await plain.FillInAsync("/sign-in", "/access/sign-in", ("password", Password));
            Assert.Contains("The box has no secure address now.", await TextAsync(plain, "/settings"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_port_that_nobody_chose_gives_way_when_it_is_taken_and_a_chosen_one_stops_the_start()
    {
        using var directory = new TemporaryDirectory();
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => RunningBox.StartAsync(directory.Path, "--https-port", $"{port}"));
        Assert.Contains("https-port", refused.Message, StringComparison.Ordinal);

        await using var first = await RunningBox.StartOnUsualHttpsPortAsync(Path.Combine(directory.Path, "one"));
        await using var second = await RunningBox.StartOnUsualHttpsPortAsync(Path.Combine(directory.Path, "two"));
        Assert.Equal(JsonValueKind.Null, second.Start.GetProperty("https").ValueKind);
    }

    private static async Task<X509Certificate2> AuthorityAsync(RunningBox box)
    {
        using var anybody = new Visitor(box);
        var answer = await anybody.GetAsync("/authority.crt");
        Assert.Equal("application/x-x509-ca-cert", answer.Content.Headers.ContentType!.MediaType);
        return X509CertificateLoader.LoadCertificate(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    private static async Task<string> TextAsync(Visitor visitor, string path) => WebUtility.HtmlDecode(await (await visitor.GetAsync(path)).Content.ReadAsStringAsync(Stop));
}
