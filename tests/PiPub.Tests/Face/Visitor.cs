using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace PiPub.Tests.Face;

/// <summary>A browser without eyes: keeps cookies, follows nothing by itself.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="box">The box that is visited.</param>
    /// <param name="trusted">The authority whose word is taken, by HTTPS; by HTTP when there is none.</param>
    /// <param name="host">Under which name the box is visited, wherever that leads elsewhere.</param>
    public Visitor(RunningBox box, X509Certificate2? trusted = null, string host = "127.0.0.1")
    {
        var port = box.Start.GetProperty(trusted is null ? "web" : "https").GetInt32();
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            CookieContainer = Cookies,
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        if (trusted is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { trusted } };
        }

        _http = new HttpClient(handler) { BaseAddress = new Uri($"{(trusted is null ? "http" : "https")}://{host}:{port}") };
        _http.DefaultRequestHeaders.Add("Accept", "text/html");
    }

    public CookieContainer Cookies { get; } = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public Task<HttpResponseMessage> GetAsync(string path, string? host = null, string? token = null, string? language = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;
        if (language is not null)
        {
            request.Headers.Add("Accept-Language", language);
        }

        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return _http.SendAsync(request, Stop);
    }

    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) =>
        _http.PostAsync(path, new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))), Stop);

    public Task<HttpResponseMessage> PostAsync(string path, HttpContent content) => _http.PostAsync(path, content, Stop);

    /// <summary>Opens a page and reads the hidden field of its form: its name and value.</summary>
    public async Task<(string Name, string Value)> TokenAsync(string page)
    {
        var token = Hidden().Match(await (await GetAsync(page)).Content.ReadAsStringAsync(Stop));
        Assert.True(token.Success, $"{page} has no form.");
        return (token.Groups[1].Value, WebUtility.HtmlDecode(token.Groups[2].Value));
    }

    /// <summary>Opens a page and sends its form with these fields and whatever is hidden in it.</summary>
    public async Task<HttpResponseMessage> FillInAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await (await GetAsync(page)).Content.ReadAsStringAsync(Stop);
        var token = Hidden().Match(html);
        Assert.True(token.Success, $"{page} has no form: {html}");
        return await PostAsync(action, [.. fields, (token.Groups[1].Value, WebUtility.HtmlDecode(token.Groups[2].Value))]);
    }

    /// <summary>Claims a new box with its code.</summary>
    public Task<HttpResponseMessage> ClaimAsync(RunningBox box, string password) => FillInAsync(
        "/claim", "/access/claim", ("code", box.Start.GetProperty("claimCode").GetString()!), ("password", password), ("again", password));

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("""<input type="hidden" name="([^"]+)" value="([^"]+)" """, RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hidden();
}
