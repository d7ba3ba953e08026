using System.Security.Cryptography;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Handshake;

/// <summary>
/// What both roles of a handshake share: the ephemeral keys, the three shared secrets and the keys derived from them.
/// </summary>
/// <remarks>
/// Notation of the protocol guide, in which A is the client's and B the server's long-term key, a and b their ephemeral
/// ones: ab, aB and Ab are X25519 shared secrets of 32 bytes; message 3 is boxed with SHA-256(network ‖ ab ‖ aB), message 4
/// with SHA-256(network ‖ ab ‖ aB ‖ Ab), and the session's keys grow from the hash of the latter. All of it is wiped on Dispose.
/// </remarks>
internal sealed class HandshakeSecrets : IDisposable
{
    private readonly byte[] _memory = new byte[11 * 32];
    private readonly NetworkKey _network;

    public HandshakeSecrets(NetworkKey network, ReadOnlySpan<byte> ephemeralSecret)
    {
        if (ephemeralSecret.Length != Sodium.KeyBytes)
        {
            throw new ArgumentException("An ephemeral key is 32 bytes.", nameof(ephemeralSecret));
        }

        _network = network;
        ephemeralSecret.CopyTo(EphemeralSecret);
        Sodium.CurvePublicKey(EphemeralSecret, EphemeralPublic);
        Sodium.Auth(EphemeralPublic, network.Bytes.AsSpan(), HelloMac);
    }

    public Span<byte> EphemeralSecret => Part(0);

    public Span<byte> EphemeralPublic => Part(1);

    public Span<byte> HelloMac => Part(2);

    public Span<byte> RemoteEphemeralPublic => Part(3);

    public Span<byte> RemoteHelloMac => Part(4);

    public Span<byte> SharedEphemeral => Part(5);

    public Span<byte> SharedEphemeralHash => Part(6);

    public Span<byte> SharedWithServer => Part(7);

    public Span<byte> SharedWithClient => Part(8);

    public Span<byte> AuthenticationKey => Part(9);

    public Span<byte> AcceptanceKey => Part(10);

    /// <summary>Secretboxes of the handshake use each key once, so the nonce is zero.</summary>
    public static ReadOnlySpan<byte> ZeroNonce => "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"u8;

    public static byte[] NewEphemeralSecret() => RandomNumberGenerator.GetBytes(Sodium.KeyBytes);

    /// <summary>Message 1 or 2: MAC of the ephemeral key under the network key, then the ephemeral key.</summary>
    public void WriteHello(Span<byte> hello)
    {
        RequireLength(hello.Length, SecretHandshake.HelloLength);
        HelloMac.CopyTo(hello);
        EphemeralPublic.CopyTo(hello[32..]);
    }

    /// <summary>Checks the other side's hello, and derives ab.</summary>
    public void ReadHello(ReadOnlySpan<byte> hello)
    {
        RequireLength(hello.Length, SecretHandshake.HelloLength);
        if (!Sodium.VerifyAuth(hello[..32], hello[32..], _network.Bytes.AsSpan()))
        {
            throw new HandshakeException(
                HandshakeFailure.WrongNetworkKey,
                "The peer's hello was not made with this network's key: it belongs to another network, or is no Scuttlebutt peer.");
        }

        hello[..32].CopyTo(RemoteHelloMac);
        hello[32..].CopyTo(RemoteEphemeralPublic);
        DeriveShared(EphemeralSecret, RemoteEphemeralPublic, SharedEphemeral);
        _ = SHA256.HashData(SharedEphemeral, SharedEphemeralHash);
    }

    /// <summary>A shared secret; the all-zero one, which a hostile peer can force, ends the handshake.</summary>
    public static void DeriveShared(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> @public, Span<byte> shared)
    {
        if (!Sodium.TrySharedSecret(secret, @public, shared))
        {
            throw BadKey();
        }
    }

    /// <summary>The X25519 form of a long-term identity.</summary>
    public static void ToCurve(FeedId identity, Span<byte> curve)
    {
        if (!Sodium.TryToCurvePublicKey(identity.AsSpan(), curve))
        {
            throw BadKey();
        }
    }

    /// <summary>The key of message 3, once ab and aB are known.</summary>
    public void DeriveAuthenticationKey()
    {
        Span<byte> text = stackalloc byte[96];
        _network.Bytes.AsSpan().CopyTo(text);
        SharedEphemeral.CopyTo(text[32..]);
        SharedWithServer.CopyTo(text[64..]);
        _ = SHA256.HashData(text, AuthenticationKey);
        CryptographicOperations.ZeroMemory(text);
    }

    /// <summary>The key of message 4, once ab, aB and Ab are known.</summary>
    public void DeriveAcceptanceKey()
    {
        Span<byte> text = stackalloc byte[128];
        _network.Bytes.AsSpan().CopyTo(text);
        SharedEphemeral.CopyTo(text[32..]);
        SharedWithServer.CopyTo(text[64..]);
        SharedWithClient.CopyTo(text[96..]);
        _ = SHA256.HashData(text, AcceptanceKey);
        CryptographicOperations.ZeroMemory(text);
    }

    /// <summary>What the client signs, 96 bytes: network ‖ B ‖ SHA-256(ab).</summary>
    public void WriteClientProof(FeedId server, Span<byte> text)
    {
        _network.Bytes.AsSpan().CopyTo(text);
        server.AsSpan().CopyTo(text[32..]);
        SharedEphemeralHash.CopyTo(text[64..]);
    }

    /// <summary>What the server signs, 160 bytes: network ‖ the client's signature ‖ A ‖ SHA-256(ab).</summary>
    public void WriteServerProof(ReadOnlySpan<byte> clientSignature, FeedId client, Span<byte> text)
    {
        _network.Bytes.AsSpan().CopyTo(text);
        clientSignature.CopyTo(text[32..]);
        client.AsSpan().CopyTo(text[96..]);
        SharedEphemeralHash.CopyTo(text[128..]);
    }

    /// <summary>
    /// The session's keys: each direction's is SHA-256(S ‖ receiver's identity), S the hash of message 4's key; each
    /// direction's first nonce is the beginning of the MAC in the receiver's hello.
    /// </summary>
    public BoxStreamKeys DeriveSessionKeys(FeedId self, FeedId remote)
    {
        Span<byte> text = stackalloc byte[64];
        Span<byte> send = stackalloc byte[32];
        Span<byte> receive = stackalloc byte[32];
        _ = SHA256.HashData(AcceptanceKey, text);
        remote.AsSpan().CopyTo(text[32..]);
        _ = SHA256.HashData(text, send);
        self.AsSpan().CopyTo(text[32..]);
        _ = SHA256.HashData(text, receive);
        var keys = new BoxStreamKeys(
            new Bytes32(send),
            new BoxNonce(RemoteHelloMac[..BoxNonce.Length]),
            new Bytes32(receive),
            new BoxNonce(HelloMac[..BoxNonce.Length]));
        CryptographicOperations.ZeroMemory(text);
        CryptographicOperations.ZeroMemory(send);
        CryptographicOperations.ZeroMemory(receive);
        return keys;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_memory);

    /// <summary>Messages have fixed lengths; another one is a mistake of the calling code, as the wire cannot choose it.</summary>
    public static void RequireLength(int actual, int expected)
    {
        if (actual != expected)
        {
            throw new ArgumentException($"This handshake message is {expected} bytes long, not {actual}.", nameof(actual));
        }
    }

    private static HandshakeException BadKey() =>
        new(HandshakeFailure.BadKey, "The peer uses a key from which no shared secret can be made.");

    private Span<byte> Part(int index) => _memory.AsSpan(index * 32, 32);
}
