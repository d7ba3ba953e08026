using System.Security.Cryptography;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Handshake;

/// <summary>
/// The side that dials, and knows beforehand whom: as bytes in and bytes out, without any connection.
/// Call the four steps in the order in which they are written here. The messages are described at <see cref="SecretHandshake"/>.
/// </summary>
public sealed class SecretHandshakeClient : IDisposable
{
    private readonly KeyPair _self;
    private readonly FeedId _server;
    private readonly byte[] _signature = new byte[Sodium.SignatureBytes];

    /// <summary>Begins a handshake with fresh ephemeral keys.</summary>
    public SecretHandshakeClient(KeyPair self, FeedId server, NetworkKey network)
        : this(self, server, network, HandshakeSecrets.NewEphemeralSecret())
    {
    }

    /// <summary>Begins a handshake with a given 32-byte X25519 ephemeral secret; only for test vectors.</summary>
    public SecretHandshakeClient(KeyPair self, FeedId server, NetworkKey network, ReadOnlySpan<byte> ephemeralSecret)
    {
        ArgumentNullException.ThrowIfNull(self);
        _self = self;
        _server = server;
        Secrets = new HandshakeSecrets(network, ephemeralSecret);
    }

    internal HandshakeSecrets Secrets { get; }

    internal ReadOnlySpan<byte> Signature => _signature;

    /// <summary>Message 1, 64 bytes.</summary>
    public void WriteHello(Span<byte> hello) => Secrets.WriteHello(hello);

    /// <summary>Reads message 2, 64 bytes.</summary>
    /// <exception cref="HandshakeException">The server is on another network, or sent a bad key.</exception>
    public void ReadHello(ReadOnlySpan<byte> hello)
    {
        Secrets.ReadHello(hello);
        Span<byte> curve = stackalloc byte[32];
        HandshakeSecrets.ToCurve(_server, curve);
        HandshakeSecrets.DeriveShared(Secrets.EphemeralSecret, curve, Secrets.SharedWithServer);
        Secrets.DeriveAuthenticationKey();
    }

    /// <summary>Message 3, 112 bytes: who we are, readable only by the server that was meant.</summary>
    public void WriteAuthentication(Span<byte> authentication)
    {
        HandshakeSecrets.RequireLength(authentication.Length, SecretHandshake.AuthenticationLength);
        Span<byte> proof = stackalloc byte[96];
        Secrets.WriteClientProof(_server, proof);
        _self.Sign(proof, _signature);
        _signature.CopyTo(proof);
        _self.Id.AsSpan().CopyTo(proof[64..]);
        Sodium.SecretBox(proof, HandshakeSecrets.ZeroNonce, Secrets.AuthenticationKey, authentication[..16], authentication[16..]);
    }

    /// <summary>Reads message 4, 80 bytes, and derives the session's keys.</summary>
    /// <exception cref="HandshakeException">The server did not prove that it is the one that was meant.</exception>
    public BoxStreamKeys ReadAcceptance(ReadOnlySpan<byte> acceptance)
    {
        HandshakeSecrets.RequireLength(acceptance.Length, SecretHandshake.AcceptanceLength);
        Span<byte> curve = stackalloc byte[32];
        Sodium.ToCurveSecretKey(_self.SecretKey, curve);
        HandshakeSecrets.DeriveShared(curve, Secrets.RemoteEphemeralPublic, Secrets.SharedWithClient);
        CryptographicOperations.ZeroMemory(curve);
        Secrets.DeriveAcceptanceKey();

        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        Span<byte> proof = stackalloc byte[160];
        Secrets.WriteServerProof(_signature, _self.Id, proof);
        if (!Sodium.TryOpenSecretBox(acceptance[..16], acceptance[16..], HandshakeSecrets.ZeroNonce, Secrets.AcceptanceKey, signature)
            || !Sodium.Verify(signature, proof, _server.AsSpan()))
        {
            throw new HandshakeException(HandshakeFailure.NotProven, "The server did not prove that it is the one that was dialled.");
        }

        return Secrets.DeriveSessionKeys(_self.Id, _server);
    }

    /// <summary>Wipes the secrets of the handshake.</summary>
    public void Dispose() => Secrets.Dispose();
}
