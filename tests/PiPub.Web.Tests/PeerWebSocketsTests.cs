using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.WebSockets;

namespace PiPub.Web.Tests;

public class PeerWebSocketsTests
{
    private static readonly NetworkKey Network = new(KeyPair.Generate().Id.Bytes);
    private static readonly KeyPair Alice = KeyPair.Generate();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_comes_in_talks_and_says_goodbye()
    {
        var ended = new TaskCompletionSource<(FeedId, EndPoint, bool)>();
        await using var server = await WebServer.StartAsync(async (pipe, from, cancelled) =>
        {
            var result = await SecretHandshake.AcceptAsync(pipe, WebServer.Self, Network, _ => ValueTask.FromResult(true), cancelled);
            await using var stream = new BoxStream(pipe, result.Keys);
            await stream.Input.CopyToAsync(stream.Output, cancelled);
            ended.SetResult((result.Remote, from, stream.EndedWithGoodbye));
        });
        var said = RandomNumberGenerator.GetBytes(3_000_000);

        await using var transport = await WebSocketDialler.ConnectAsync(server.Address, Cancelled);
        var dialled = await SecretHandshake.ConnectAsync(transport, Alice, WebServer.Self.Id, Network, Cancelled);
        await using var talk = new BoxStream(transport, dialled.Keys);
        var saying = SayAsync(talk.Output, said);
        using var heard = new MemoryStream();
        await talk.Input.CopyToAsync(heard, Cancelled);
        await saying;

        Assert.Equal(said, heard.ToArray());
        Assert.True(talk.EndedWithGoodbye);
        var (remote, from, goodbye) = await ended.Task.WaitAsync(Cancelled);
        Assert.Equal(Alice.Id, remote);
        Assert.Equal(IPAddress.Loopback, Assert.IsType<IPEndPoint>(from).Address);
        Assert.True(goodbye);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/any/path?with=query")]
    public async Task Any_path_leads_in_and_borders_of_messages_mean_nothing(string path)
    {
        await using var server = await WebServer.StartAsync(EchoAsync);
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Url.Port}{path}"), Cancelled);

        await socket.SendAsync("on"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: false, Cancelled);
        await socket.SendAsync("e"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Cancelled);
        await socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Binary, endOfMessage: true, Cancelled);
        await socket.SendAsync("two"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Cancelled);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Cancelled);

        var heard = new StringBuilder();
        var buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer.AsMemory(), Cancelled) is { MessageType: WebSocketMessageType.Binary } received)
        {
            heard.Append(Encoding.ASCII.GetString(buffer, 0, received.Count));
        }

        Assert.Equal("onetwo", heard.ToString());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task The_web_servers_own_paths_are_left_alone()
    {
        await using var server = await WebServer.StartAsync(EchoAsync);
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Url.Port}/_blazor"), Cancelled));
    }

    [Fact]
    public async Task Text_breaks_the_connection()
    {
        var seen = new TaskCompletionSource<Exception?>();
        await using var server = await WebServer.StartAsync(async (pipe, _, cancelled) =>
        {
            seen.SetResult(await Record.ExceptionAsync(async () => await pipe.Input.ReadAsync(cancelled)));
        });
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(server.Address.ToWebSocketUri(), Cancelled);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Cancelled);

        var error = Assert.IsType<IOException>(await seen.Task.WaitAsync(Cancelled));
        Assert.Contains("text", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_vanishes_ends_its_stream()
    {
        var seen = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(async (pipe, _, cancelled) =>
        {
            try
            {
                while (!(await pipe.Input.ReadAsync(CancellationToken.None)).IsCompleted)
                {
                }
            }
            catch (IOException)
            {
            }

            seen.SetResult();
        });
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(server.Address.ToWebSocketUri(), Cancelled);
        socket.Abort();
        socket.Dispose();

        await seen.Task.WaitAsync(Cancelled);
    }

    [Fact]
    public async Task A_cancelled_read_does_no_harm_to_the_socket()
    {
        await using var server = await WebServer.StartAsync(EchoAsync);
        await using var transport = await WebSocketDialler.ConnectAsync(server.Address, Cancelled);
        using var impatient = new CancellationTokenSource();
        var reading = transport.Input.ReadAsync(impatient.Token).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);

        await transport.Output.WriteAsync("still here"u8.ToArray(), Cancelled);
        var result = await transport.Input.ReadAtLeastAsync(10, Cancelled);
        Assert.Equal("still here"u8, result.Buffer.ToArray());
    }

    [Fact]
    public async Task Nobody_there_is_told_in_words()
    {
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        var port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        var address = MultiserverAddress.Of(MultiserverTransport.Ws, "127.0.0.1", port, Alice.Id);

        var error = await Assert.ThrowsAsync<IOException>(() => WebSocketDialler.ConnectAsync(address, Cancelled));

        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
    }

    private static async Task EchoAsync(IDuplexPipe pipe, EndPoint from, CancellationToken cancellationToken) =>
        await pipe.Input.CopyToAsync(pipe.Output, cancellationToken);

    private static async Task SayAsync(PipeWriter output, byte[] said)
    {
        for (var at = 0; at < said.Length; at += 10_000)
        {
            await output.WriteAsync(said.AsMemory(at, Math.Min(10_000, said.Length - at)), Cancelled);
        }

        await output.CompleteAsync();
    }
}
