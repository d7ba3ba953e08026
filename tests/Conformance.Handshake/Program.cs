using System.IO.Pipelines;
using PiPub.Conformance.Handshake;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

// The contract of shs1-test 1.1.1: two arguments (network key, server's public key) ask for the client's role, three
// (network key, server's secret key, server's public key) for the server's, all in hex. After a handshake the outcome goes
// to standard output; after a failure there is nothing but an exit code other than zero.
var network = new NetworkKey(new Bytes32(Convert.FromHexString(args[0])));
var transport = new StandardStreams();
try
{
    var result = args.Length == 2
        ? await SecretHandshake.ConnectAsync(
            transport, KeyPair.Generate(), new FeedId(Convert.FromHexString(args[1])), network, CancellationToken.None)
        : await SecretHandshake.AcceptAsync(
            transport, KeyPair.FromSeed(Convert.FromHexString(args[1]).AsSpan(0, 32)), network, _ => ValueTask.FromResult(true), CancellationToken.None);
    byte[] outcome =
    [
        .. result.Keys.SendKey.AsSpan(),
        .. result.Keys.SendNonce.AsSpan(),
        .. result.Keys.ReceiveKey.AsSpan(),
        .. result.Keys.ReceiveNonce.AsSpan(),
    ];
    await transport.Output.WriteAsync(outcome);
    return 0;
}
catch (HandshakeException)
{
    return 1;
}

namespace PiPub.Conformance.Handshake
{
    internal sealed class StandardStreams : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(Console.OpenStandardInput());

        public PipeWriter Output { get; } = PipeWriter.Create(Console.OpenStandardOutput());
    }
}
