using System.Net;
using PiPub.Web.Pages;

namespace PiPub.Web.Tests;

public class StatusPageTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_says_who_the_box_is_and_carries_no_script()
    {
        const string address = "net:pub.example.org:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
        await using var server = await WebServer.StartAsync(
            (_, _, _) => Task.CompletedTask, new BoxDescription("<b>Our & box</b>", WebServer.Self.Id, [address, "net:<script>"]));
        using var browser = new HttpClient { BaseAddress = server.Url };

        using var response = await browser.GetAsync("/", Cancelled);
        var page = await response.Content.ReadAsStringAsync(Cancelled);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("PiPub box", page, StringComparison.Ordinal);
        Assert.Contains(WebServer.Self.Id.ToString(), page, StringComparison.Ordinal);
        Assert.Contains(address, page, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;Our &amp; box&lt;/b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_else_is_served()
    {
        await using var server = await WebServer.StartAsync((_, _, _) => Task.CompletedTask);
        using var browser = new HttpClient { BaseAddress = server.Url };
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/elsewhere", Cancelled)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await browser.PostAsync("/", null, Cancelled)).StatusCode);
    }
}
