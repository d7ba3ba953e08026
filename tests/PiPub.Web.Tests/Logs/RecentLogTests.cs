using Microsoft.Extensions.Logging;
using PiPub.Web.Logs;

namespace PiPub.Web.Tests.Logs;

#pragma warning disable CA1848, CA2254, CA1873 // The tests write lines of their own.
public sealed class RecentLogTests
{
    [Fact]
    public void Lines_are_found_by_how_serious_they_are_and_by_what_they_say()
    {
        using var log = new RecentLog(TimeProvider.System);
        var logger = log.CreateLogger("PiPub.Node.Peers.PeerServer");
        logger.LogInformation("Grüße from a peer");
        logger.LogWarning("The disk is slow");
        logger.LogError(new IOException("no space left"), "Nothing can be written");
        Assert.Equal(["Nothing can be written", "The disk is slow", "Grüße from a peer"], log.Read(LogLevel.Trace, null, 10).Select(static line => line.Text.Split('\n')[0]));
        Assert.Equal(2, log.Read(LogLevel.Warning, "", 10).Count);
        Assert.Equal("Grüße from a peer", Assert.Single(log.Read(LogLevel.Trace, "grüße", 10)).Text);
        Assert.Contains("no space left", Assert.Single(log.Read(LogLevel.Trace, "NO SPACE", 10)).Text, StringComparison.Ordinal);
        Assert.Equal(3, log.Read(LogLevel.Trace, "peerserver", 10).Count);
        Assert.Equal("Nothing can be written", Assert.Single(log.Read(LogLevel.Trace, null, 1)).Text.Split('\n')[0]);
        Assert.Equal(3, log.Version);
    }

    [Fact]
    public void The_oldest_lines_go_and_the_others_stay_whole_wherever_the_ring_ends()
    {
        using var log = new RecentLog(TimeProvider.System);
        var logger = log.CreateLogger("x");
        for (var i = 0; i < 20_000; i++)
        {
            logger.LogInformation("{Number} {Text}", i, new string((char)('a' + (i % 26)), i % 97));
        }

        var lines = log.Read(LogLevel.Trace, null, int.MaxValue);
        Assert.InRange(lines.Count, 1000, 10_000);
        for (var i = 0; i < lines.Count; i++)
        {
            var number = 19_999 - i;
            Assert.Equal($"{number} {new string((char)('a' + (number % 26)), number % 97)}".TrimEnd(), lines[i].Text);
        }
    }

    [Fact]
    public void A_line_that_is_too_long_is_cut_at_a_whole_letter()
    {
        using var log = new RecentLog(TimeProvider.System);
        log.CreateLogger(new string('ü', 300)).LogInformation(new string('ü', 300_000));
        var line = Assert.Single(log.Read(LogLevel.Trace, null, 10));
        Assert.Equal(2000, line.Text.Length);
        Assert.All(line.Text, static c => Assert.Equal('ü', c));
    }
}
