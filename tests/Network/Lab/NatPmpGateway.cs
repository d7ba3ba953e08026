namespace PiPub.NetworkTests.Lab;

/// <summary>
/// A router's NAT-PMP that grants every port and tells whatever outer address the test says, private ones included, which
/// miniupnpd refuses to. Nothing is really passed on. Source: RFC 6886.
/// </summary>
internal static class NatPmpGateway
{
    private const string Script = """
        const socket = require('dgram').createSocket('udp4')
        socket.on('message', (request, from) => {
          const operation = request[1]
          const answer = Buffer.alloc(operation === 0 ? 12 : 16)
          answer[1] = 128 + operation
          answer.writeUInt32BE(1000, 4)
          if (request[0] !== 0) {
            answer.writeUInt16BE(1, 2)
            socket.send(answer.subarray(0, 8), from.port, from.address)
            return
          }
          if (operation === 0) {
            Buffer.from(process.argv[1].split('.').map(Number)).copy(answer, 8)
          } else {
            request.copy(answer, 8, 4, 8)
            request.copy(answer, 12, 8, 12)
            if (answer.readUInt16BE(10) === 0) answer.writeUInt16BE(answer.readUInt16BE(8), 10)
          }
          socket.send(answer, from.port, from.address)
        })
        socket.bind(5351, () => console.log('listening'))
        """;

    /// <summary>Starts it on a router.</summary>
    /// <param name="router">Where.</param>
    /// <param name="outer">The outer address that it tells, IPv4.</param>
    public static async Task StartAsync(HomeRouter router, string outer)
    {
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = router.Host.Start(_ => listening.TrySetResult(), "node", "-e", Script, outer);
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }
}
