using PiPub.Scuttlebutt.Feeds;
using PiPub.Storage.Log;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Views;

/// <summary>A log, its views and the store over both, opened and closed together as the node does.</summary>
internal sealed class ViewsOverLog : IAsyncDisposable
{
    private ViewsOverLog(SegmentedMessageLog log, MessageViews views, MessageStore store)
    {
        Log = log;
        Views = views;
        Store = store;
    }

    public SegmentedMessageLog Log { get; }

    public MessageViews Views { get; }

    public MessageStore Store { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static ViewsOverLog Open(TemporaryDirectory directory, string views = "views.sqlite")
    {
        var log = SegmentedMessageLog.Open(directory["log"], segmentBytes: 1 << 20);
        var opened = MessageViews.Open(directory[views], log);
        return new ViewsOverLog(log, opened, new MessageStore(log, opened));
    }

    public async Task<ViewsOverLog> FollowAsync()
    {
        Views.Follow(Store);
        await Views.WhenCaughtUpAsync(Stop);
        return this;
    }

    public Task AppendAsync(params Message[] messages) => AppendAsync(1_600_000_500_000, messages);

    public async Task AppendAsync(long receivedAt, params Message[] messages) => await Store.AppendAsync(messages, receivedAt, Stop);

    /// <summary>Every answer that the views give, as text to compare.</summary>
    public string Dump(RandomMessages written)
    {
        var text = new StringWriter();
        var links = Views.Links(nested: true).Concat(Views.Links(rel: "root")).Concat(Views.Links(rel: "vote", reverse: true));
        foreach (var feed in written.Feeds)
        {
            links = links.Concat(Views.Links(new LinkTarget(feed.Id), nested: true)).Concat(Views.Links(source: feed.Id))
                .Concat(Views.Links(new LinkTarget(feed.Id), rel: "contact", source: written.Feeds[0].Id));
            text.WriteLine(string.Join(' ', Views.ByFeed(feed.Id).Select(static record => record.Position)));
            text.WriteLine(string.Join(' ', Views.ByFeed(feed.Id, reverse: true, 3, 40).Select(static record => record.Position)));
            text.WriteLine(string.Join(' ', Views.Abouts(new LinkTarget(feed.Id)).Select(static claim => $"{claim.Author} {claim.Field} {System.Text.Encoding.UTF8.GetString(claim.Json.Span)}").Order(StringComparer.Ordinal)));
        }

        foreach (var type in new[] { "post", "contact", "nothing" })
        {
            text.WriteLine(string.Join(' ', Views.ByType(type, ViewRange.All, reverse: false, long.MaxValue)));
            text.WriteLine(string.Join(' ', Views.ByType(type, ViewRange.All, reverse: true, 90_000)));
        }

        text.WriteLine(string.Join(' ', links.Select(static link => $"{link.Record.Position}:{link.Link.Rel}:{link.Link.Target}")));
        text.WriteLine(string.Join(' ', Views.ByResolvedTime(ViewRange.All, reverse: false, long.MaxValue).Select(static found => $"{found.Position}:{found.Resolved}")));
        text.WriteLine(string.Join(' ', Views.ByResolvedTime(new ViewRange(1_600_000_100_000, false, 1_600_000_200_000, true), reverse: true, 90_000).Select(static found => found.Position)));
        text.WriteLine(string.Join(' ', Views.ByArrival(ViewRange.All, reverse: false, long.MaxValue)));
        text.WriteLine(string.Join(' ', Views.Contacts().Order(Comparer<ContactEdge>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString())))));
        text.WriteLine(string.Join(' ', Views.Pubs().Select(static pub => pub.ToString()).Order(StringComparer.Ordinal)));
        text.WriteLine(string.Join(' ', Views.BlobMentions().Select(static mention => $"{mention.Record.Position}:{mention.Link.Target}")));
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await Views.DisposeAsync();
        Store.Dispose();
        await Log.DisposeAsync();
    }
}
