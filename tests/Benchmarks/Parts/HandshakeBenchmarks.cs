using BenchmarkDotNet.Attributes;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Benchmarks.Parts;

/// <summary>One handshake, both roles, without a network between them: what a flood of connections costs in CPU.</summary>
[MemoryDiagnoser]
public class HandshakeBenchmarks
{
    private readonly KeyPair _alice = KeyPair.Generate();
    private readonly KeyPair _bob = KeyPair.Generate();
    private readonly NetworkKey _network = new(KeyPair.Generate().Id.Bytes);
    private readonly byte[] _message = new byte[SecretHandshake.AuthenticationLength];

    [Benchmark]
    public void Both_roles()
    {
        using var client = new SecretHandshakeClient(_alice, _bob.Id, _network);
        using var server = new SecretHandshakeServer(_bob, _network);
        var hello = _message.AsSpan(0, SecretHandshake.HelloLength);
        var acceptance = _message.AsSpan(0, SecretHandshake.AcceptanceLength);
        client.WriteHello(hello);
        server.ReadHello(hello);
        server.WriteHello(hello);
        client.ReadHello(hello);
        client.WriteAuthentication(_message);
        _ = server.ReadAuthentication(_message);
        _ = server.WriteAcceptance(acceptance);
        _ = client.ReadAcceptance(acceptance);
    }
}
