using System.Text.Json;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Wire;

/// <summary>The whole transcript of one handshake, made with secret-handshake 1.1.21, byte for byte.</summary>
public class HandshakeVectorTests
{
    private static readonly JsonElement Vector = ConformanceFiles.Vectors.GetProperty("shs");

    [Fact]
    public void The_transcript_is_the_reference_implementations()
    {
        var network = new NetworkKey(new Bytes32(Vector.Hex("cap")));
        var alice = KeyPair.FromSeed(Vector.Hex("client_seed"));
        var bob = KeyPair.FromSeed(Vector.Hex("server_seed"));
        Assert.Equal(Vector.Hex("client_pk"), alice.Id.AsSpan());
        Assert.Equal(Vector.Hex("server_pk"), bob.Id.AsSpan());
        using var client = new SecretHandshakeClient(alice, bob.Id, network, Vector.Hex("client_eph_sk_curve25519"));
        using var server = new SecretHandshakeServer(bob, network, Vector.Hex("server_eph_sk_curve25519"));

        var hello = new byte[SecretHandshake.HelloLength];
        client.WriteHello(hello);
        Assert.Equal(Vector.Hex("msg1"), hello);
        server.ReadHello(hello);

        server.WriteHello(hello);
        Assert.Equal(Vector.Hex("msg2"), hello);
        client.ReadHello(hello);
        Assert.Equal(Vector.Hex("shared_ab"), client.Secrets.SharedEphemeral);
        Assert.Equal(Vector.Hex("shared_ab"), server.Secrets.SharedEphemeral);
        Assert.Equal(Vector.Hex("shared_aB"), client.Secrets.SharedWithServer);
        Assert.Equal(Vector.Hex("key_msg3"), client.Secrets.AuthenticationKey);

        var authentication = new byte[SecretHandshake.AuthenticationLength];
        client.WriteAuthentication(authentication);
        Assert.Equal(Vector.Hex("sig_A"), client.Signature);
        Assert.Equal(Vector.Hex("msg3"), authentication);
        Assert.Equal(alice.Id, server.ReadAuthentication(authentication));
        Assert.Equal(Vector.Hex("shared_Ab"), server.Secrets.SharedWithClient);

        var acceptance = new byte[SecretHandshake.AcceptanceLength];
        var serverKeys = server.WriteAcceptance(acceptance);
        Assert.Equal(Vector.Hex("msg4"), acceptance);
        var clientKeys = client.ReadAcceptance(acceptance);
        Assert.Equal(Vector.Hex("key_msg4"), client.Secrets.AcceptanceKey);

        AssertKeys(clientKeys, "client_encrypt_key", "client_encrypt_nonce", "client_decrypt_key", "client_decrypt_nonce");
        AssertKeys(serverKeys, "server_encrypt_key", "client_decrypt_nonce", "server_decrypt_key", "client_encrypt_nonce");
    }

    private static void AssertKeys(BoxStreamKeys keys, string sendKey, string sendNonce, string receiveKey, string receiveNonce)
    {
        Assert.Equal(Vector.Hex(sendKey), keys.SendKey.AsSpan());
        Assert.Equal(Vector.Hex(sendNonce), keys.SendNonce.AsSpan());
        Assert.Equal(Vector.Hex(receiveKey), keys.ReceiveKey.AsSpan());
        Assert.Equal(Vector.Hex(receiveNonce), keys.ReceiveNonce.AsSpan());
    }
}
