using System.Net.WebSockets;
using PiPub.Web.WebSockets;

namespace PiPub.Web.Tests;

public class WebSocketTransportTests
{
    [Fact]
    public async Task A_peer_that_never_stops_talking_fills_a_bounded_buffer()
    {
        using var socket = new Chatterbox();
        await using var transport = new WebSocketTransport(socket);

        // Everything that the socket gives comes at once, so what is taken now is all that is taken unread.
        Assert.InRange(socket.Sent, 64 * 1024, 80 * 1024);
        var read = await transport.Input.ReadAsync(TestContext.Current.CancellationToken);
        transport.Input.AdvanceTo(read.Buffer.End);
        Assert.True(SpinWait.SpinUntil(() => socket.Sent > read.Buffer.Length, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task An_idle_socket_is_waited_on_without_a_buffer()
    {
        using var socket = new Silence();
        await using var transport = new WebSocketTransport(socket);
        Assert.Equal([0], socket.Asked);
    }

    private abstract class FakeSocket : WebSocket
    {
        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Open;

        public override string? SubProtocol => null;

        public override void Abort()
        {
        }

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Dispose() => GC.SuppressFinalize(this);

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Chatterbox : FakeSocket
    {
        private long _sent;

        public long Sent => Interlocked.Read(ref _sent);

        public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            _ = Interlocked.Add(ref _sent, buffer.Length);
            return ValueTask.FromResult(new ValueWebSocketReceiveResult(buffer.Length, WebSocketMessageType.Binary, endOfMessage: false));
        }
    }

    private sealed class Silence : FakeSocket
    {
        public List<int> Asked { get; } = [];

        public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            Asked.Add(buffer.Length);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }
}
