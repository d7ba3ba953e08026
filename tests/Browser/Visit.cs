using System.Collections.Concurrent;
using Microsoft.Playwright;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>One person's browser: a profile of its own with one tab, and what it saw that a page of the box must not do.</summary>
internal sealed class Visit : IAsyncDisposable
{
    public const string Password = "correct horse";

    /// <summary>What the browser sends when it has drawn what a live page told it: from then on buttons do something.</summary>
    private static readonly byte[] Drawn = "OnRenderCompleted"u8.ToArray();

    private static readonly string Axe = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Browser", "node_modules", "axe-core", "axe.min.js"));

    private readonly IBrowserContext context;
    private readonly string origin;
    private readonly ConcurrentQueue<string> offences = new();

    /// <summary>Whether the page that was asked for last is live; another one for each page that is loaded.</summary>
    private volatile TaskCompletionSource live = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Visit(IBrowserContext context, IPage page, string origin) => (this.context, Page, this.origin) = (context, page, origin);

    /// <summary>Generous: a slow machine must not fail a test. More where the box itself runs in an emulator.</summary>
    public static float PatienceInMilliseconds { get; set; } = 120_000;

    public IPage Page { get; }

    /// <summary>How often the person typed into a field, clicked or went somewhere.</summary>
    public int Interactions { get; private set; }

    public static string OriginOf(PiPubProcess pub) => $"http://127.0.0.1:{pub.Web}";

    /// <summary>Opens a browser, at phone size.</summary>
    /// <param name="chromium">The browser.</param>
    /// <param name="pub">The box whose pages are to be seen.</param>
    /// <param name="cookies">What another visit's <see cref="CookiesAsync"/> gave: the same person.</param>
    /// <param name="mayInject">Whether the test may run its own scripts in the pages, which the box forbids.</param>
    public static Task<Visit> OpenAsync(Chromium chromium, PiPubProcess pub, string? cookies = null, bool mayInject = false) =>
        OpenAsync(chromium.Browser, OriginOf(pub), cookies, mayInject);

    /// <summary>Opens a browser of the test's own, or at another address of the box.</summary>
    public static async Task<Visit> OpenAsync(IBrowser browser, string origin, string? cookies = null, bool mayInject = false)
    {
        var fresh = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = 390, Height = 844 },
            Locale = "en-GB",
            StorageState = cookies,
            BypassCSP = mayInject,
        });
        fresh.SetDefaultTimeout(PatienceInMilliseconds);
        var visit = new Visit(fresh, await fresh.NewPageAsync().WaitAsync(TimeSpan.FromMilliseconds(PatienceInMilliseconds)), origin);
        visit.Watch();
        return visit;
    }

    /// <summary>What makes another visit that of the same person.</summary>
    public Task<string> CookiesAsync() => context.StorageStateAsync();

    /// <summary>Opens one more tab of this browser, at a page.</summary>
    public async Task<IPage> OpenTabAsync(string path)
    {
        var tab = await context.NewPageAsync();
        await tab.GotoAsync(origin + path);
        return tab;
    }

    /// <summary>Goes to a page by its address.</summary>
    public async Task GoAsync(string path)
    {
        Interactions++;
        live = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await Page.GotoAsync(origin + path);
        }
        catch (PlaywrightException e) when (e.Message.Contains("ERR_ABORTED", StringComparison.Ordinal)
            || e.Message.Contains("interrupted by another navigation", StringComparison.Ordinal))
        {
            // The page that is left was just about to load itself again, or to go where its visitor belongs.
            live = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await Page.GotoAsync(origin + path);
        }
    }

    /// <summary>Goes to one of the owner's pages, and waits until it is live.</summary>
    public async Task GoLiveAsync(string path)
    {
        await GoAsync(path);
        await IsLiveAsync();
    }

    /// <summary>Waits until the present page is live.</summary>
    /// <remarks>Asked of whichever page is the newest: one that comes back after a restart may be loaded more than once.</remarks>
    public Task IsLiveAsync() => Eventually.BecomesTrueAsync(() => Task.FromResult(live.Task.IsCompleted), "the page is live", TimeSpan.FromMilliseconds(PatienceInMilliseconds));

    /// <summary>Waits until the present page has been loaded another time and is live.</summary>
    public Task IsLoadedAgainAsync()
    {
        var before = live;
        return AgainAsync();

        async Task AgainAsync()
        {
            await Eventually.BecomesTrueAsync(() => Task.FromResult(live != before), "the page is loaded again", TimeSpan.FromMilliseconds(PatienceInMilliseconds));
            await IsLiveAsync();
        }
    }

    public Task FillAsync(string label, string value)
    {
        Interactions++;
        return Page.GetByLabel(label, new() { Exact = true }).FillAsync(value);
    }

    public Task ClickAsync(string button)
    {
        Interactions++;
        return Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
    }

    /// <summary>Clicks a button that leads to another page.</summary>
    public async Task ClickToAsync(string button, string path)
    {
        live = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await ClickAsync(button);
        await ArrivesAtAsync(path);
    }

    /// <summary>Waits until the page is another one. Its address alone is asked for: to wait for its loading would be for ever, once it has loaded.</summary>
    public Task ArrivesAtAsync(string path) => Assertions.Expect(Page).ToHaveURLAsync(origin + path, new() { Timeout = PatienceInMilliseconds });

    /// <summary>Waits until a text is to be seen.</summary>
    public Task SeesAsync(string text) => Assertions.Expect(Page.GetByText(text).First).ToBeVisibleAsync(new() { Timeout = PatienceInMilliseconds });

    /// <summary>Connects an app and waits until a text of it is to be seen.</summary>
    /// <param name="app">The app.</param>
    /// <param name="id">The box's id.</param>
    /// <param name="address">Where the box answers it.</param>
    /// <param name="text">What the page says then.</param>
    /// <remarks>ssb-gossip leaves a peer that it has not known for long after ten seconds; an app that is open comes again.</remarks>
    public Task SeesAppAsync(JsPeer app, string id, string address, string text) => Eventually.BecomesTrueAsync(
        async () =>
        {
            if (!(await app.PeersAsync()).Contains(id))
                await app.ConnectAsync(address);
            return await Page.GetByText(text).First.IsVisibleAsync();
        },
        $"the page says “{text}”",
        TimeSpan.FromMilliseconds(PatienceInMilliseconds));

    /// <summary>Claims a new box; ends on the second page of setup.</summary>
    public async Task ClaimAsync(PiPubProcess pub)
    {
        await GoAsync("/");
        await FillAsync("The code that the box shows", pub.ClaimCode!);
        await FillAsync("Choose a password", Password);
        await FillAsync("The same password again", Password);
        await ClickToAsync("Continue", "/setup");
        // Else what that page says late would be taken for the next one's.
        await IsLiveAsync();
    }

    public async Task SignInAsync(string password = Password)
    {
        await GoAsync("/sign-in");
        await FillAsync("Password", password);
        await ClickAsync("Sign in");
    }

    /// <summary>Everybody can use the page as it is now: axe-core finds nothing, light and dark. The visit must be one that may inject scripts.</summary>
    public async Task AssertFitsEverybodyAsync()
    {
        await Page.AddScriptTagAsync(new() { Content = Axe });
        foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            Assert.Empty(await Page.EvaluateAsync<string[]>(
                "async () => (await axe.run()).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${v.help}: ${n.html} ${n.failureSummary}`))"));
        }
    }

    /// <summary>No errors in the console, no requests to others than the box.</summary>
    public void AssertWasQuiet() => Assert.Empty(offences);

    /// <summary>Closes the browser. One that does not say that it has closed is left behind: it is not what is tested.</summary>
    public async ValueTask DisposeAsync()
    {
        var closing = context.CloseAsync();
        if (await Task.WhenAny(closing, Task.Delay(TimeSpan.FromMilliseconds(PatienceInMilliseconds))) != closing)
            TestContext.Current.TestOutputHelper?.WriteLine("The browser has not said that it has closed.");
        else
            await closing;
    }

    private void Watch()
    {
        context.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(origin + "/", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                offences.Enqueue($"{Page.Url} asked {request.Url}");
        };
        Page.Request += (_, request) =>
        {
            // Told before anything that the new page does.
            if (request.IsNavigationRequest)
                live = new(TaskCreationOptions.RunContinuationsAsynchronously);
        };
        Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                offences.Enqueue($"{Page.Url} said: {message.Text}");
        };
        Page.PageError += (_, error) => offences.Enqueue($"{Page.Url} failed: {error}");
        Page.WebSocket += (_, socket) =>
        {
            if (!socket.Url.StartsWith(origin.Replace("http", "ws", StringComparison.Ordinal) + "/", StringComparison.Ordinal))
                offences.Enqueue($"{Page.Url} opened {socket.Url}");
            // The page that is left may still say something on its own connection.
            var page = live;
            socket.FrameSent += (_, frame) =>
            {
                if (frame.Binary is { } bytes && bytes.AsSpan().IndexOf(Drawn) >= 0)
                    page.TrySetResult();
            };
        };
    }
}
