using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Health;

namespace PiPub.Appliance.Tests.Health;

public sealed class BoxHealthTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_check_is_told_and_one_that_fails_does_not_keep_the_others_from_it()
    {
        var health = New(
            new HealthCheck("page", _ => throw new IOException("Nobody answers."), IsForWatchdog: false),
            new HealthCheck("log", _ => Task.FromResult("All is whole.")));
        Assert.Equal([new HealthFinding("page", false, "Nobody answers."), new HealthFinding("log", true, "All is whole.")], await health.CheckAsync(Stop));
        Assert.Null(await health.ProblemAsync(Stop));
    }

    [Fact]
    public async Task The_watchdog_hears_what_is_wrong()
    {
        var health = New(new HealthCheck("log", _ => throw new InvalidDataException("It is damaged.")));
        Assert.Equal("It is damaged.", await health.ProblemAsync(Stop));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n<html>hello</html>", null)]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\n\r\n<html></html>", "500 Internal Server Error")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n<html>half of", "instead of a page")]
    [InlineData("", "instead of a page")]
    public async Task A_page_is_well_when_it_is_whole(string answer, string? problem)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var served = ServeAsync(listener, answer);
        var fetched = PageCheck.FetchAsync(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port, Stop);
        if (problem is null)
        {
            Assert.StartsWith("The page answers", await fetched, StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains(problem, (await Assert.ThrowsAsync<IOException>(() => fetched)).Message, StringComparison.Ordinal);
        }

        Assert.StartsWith("GET /join HTTP/1.1\r\n", await served, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_who_listens_is_told_as_such()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var failed = await Assert.ThrowsAsync<IOException>(() => PageCheck.FetchAsync(IPAddress.Loopback, ((IPEndPoint)taken.LocalEndPoint!).Port, Stop));
        Assert.Contains("does not answer", failed.Message, StringComparison.Ordinal);
    }

    private static BoxHealth New(params HealthCheck[] checks) => new(checks, NullLogger<BoxHealth>.Instance);

    private static async Task<string> ServeAsync(Socket listener, string answer)
    {
        using var socket = await listener.AcceptAsync(Stop);
        var bytes = new byte[4096];
        var length = await socket.ReceiveAsync(bytes, Stop);
        await socket.SendAsync(Encoding.UTF8.GetBytes(answer), Stop);
        socket.Shutdown(SocketShutdown.Both);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
