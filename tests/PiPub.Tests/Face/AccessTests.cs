using System.Net;
using PiPub.Web.Access;

namespace PiPub.Tests.Face;

/// <summary>Who gets to see the pages of a running box.</summary>
public sealed class AccessTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_box_is_claimed_with_its_code_and_then_belongs_to_one_person()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var owner = new Visitor(box);
        Assert.Equal("/claim", Redirect(await owner.GetAsync("/")));
        Assert.Equal("/claim", Redirect(await owner.GetAsync("/sign-in")));
        Assert.Equal("/claim?problem=code", Redirect(await owner.FillInAsync("/claim", "/access/claim", ("code", "no"), ("password", Password), ("again", Password))));
        Assert.Equal("/claim?problem=different", Redirect(await owner.FillInAsync("/claim", "/access/claim", ("code", "no"), ("password", Password), ("again", "x"))));

        var claimed = await owner.ClaimAsync(box, Password);
        Assert.Equal("/setup", Redirect(claimed));
        var cookie = Assert.Single(claimed.Headers.GetValues("Set-Cookie"), static c => c.StartsWith("pipub-session=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        var page = await owner.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("Your box", await page.Content.ReadAsStringAsync(Stop));

        using var stranger = new Visitor(box);
        Assert.Equal("/sign-in", Redirect(await stranger.GetAsync("/")));
        Assert.Equal("/sign-in", Redirect(await stranger.GetAsync("/claim")));
        Assert.Equal("/sign-in?problem=password", Redirect(await stranger.FillInAsync("/sign-in", "/access/sign-in", ("password", "guess"))));
        Assert.Equal("/", Redirect(await stranger.FillInAsync("/sign-in", "/access/sign-in", ("password", Password))));
        Assert.Equal("/sign-in", Redirect(await stranger.FillInAsync("/", "/access/sign-out")));
        Assert.Equal("/sign-in", Redirect(await stranger.GetAsync("/")));
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, Password);
        using var stranger = new Visitor(box);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("/sign-in?problem=password", Redirect(await stranger.FillInAsync("/sign-in", "/access/sign-in", ("password", "guess"))));
        }

        var answer = Redirect(await stranger.FillInAsync("/sign-in", "/access/sign-in", ("password", Password)));
        Assert.StartsWith("/sign-in?problem=wait&seconds=", answer);
        Assert.Contains("Wait ", await (await stranger.GetAsync(answer)).Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Forms_from_elsewhere_are_not_taken()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, Password);
        Assert.Equal("/sign-in?problem=expired", Redirect(await owner.PostAsync(AccessEndpoints.SignOut)));
        Assert.Equal("/sign-in?problem=expired", Redirect(await owner.PostAsync(AccessEndpoints.SignIn, ("password", Password))));
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Other_names_get_a_sentence_and_nothing_else()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await visitor.GetAsync("/claim", "evil.example")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/claim", "pipub.local:8080")).StatusCode);
    }

    [Fact]
    public async Task Every_answer_tells_the_browser_to_run_and_load_only_what_is_the_boxs_own()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        foreach (var path in (string[])["/claim", "/", "/assets/nothing", "/nothing"])
        {
            var policy = string.Join(';', (await visitor.GetAsync(path)).Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy);
            Assert.DoesNotContain("unsafe", policy);
        }

        var html = await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop);
        var own = $"https://127.0.0.1:{box.Start.GetProperty("https").GetInt32()}/";
        Assert.DoesNotMatch("""(src|href)="(https?:)?//""", html.Replace(own, "/", StringComparison.Ordinal));
        Assert.DoesNotMatch("<script>|<style|style=", html);
    }

    private static string Redirect(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var to = answer.Headers.Location!;
        return to.IsAbsoluteUri ? to.PathAndQuery : to.ToString();
    }
}
