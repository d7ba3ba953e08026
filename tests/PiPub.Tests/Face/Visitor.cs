using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace PiPub.Tests.Face;

/// <summary>A browser without eyes: keeps cookies, follows nothing by itself.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _http;

    public Visitor(RunningBox box)
    {
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{box.Start.GetProperty("web").GetInt32()}"),
        };
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
