using System.Security.Cryptography;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Handshake;

/// <summary>
/// The side that was dialled, and learns from message 3 by whom: as bytes in and bytes out, without any connection.
/// Call the steps in the order in which they are written here. The messages are described at <see cref="SecretHandshake"/>.
/// </summary>
public sealed class SecretHandshakeServer : IDisposable
{
    private readonly KeyPair _self;
    private readonly byte[] _clientSignature = new byte[Sodium.SignatureBytes];
    private FeedId _client;

    /// <summary>Begins a handshake with fresh ephemeral keys.</summary>
    public SecretHandshakeServer(KeyPair self, NetworkKey network)
        : this(self, network, HandshakeSecrets.NewEphemeralSecret())
    {
    }

    /// <summary>Begins a handshake with a given 32-byte X25519 ephemeral secret; only for test vectors.</summary>
    public SecretHandshakeServer(KeyPair self, NetworkKey network, ReadOnlySpan<byte> ephemeralSecret)
    {
        ArgumentNullException.ThrowIfNull(self);
        _self = self;
        Secrets = new HandshakeSecrets(network, ephemeralSecret);
    }

    internal HandshakeSecrets Secrets { get; }

    /// <summary>Reads message 1, 64 bytes.</summary>
    /// <exception cref="HandshakeException">The client is on another network, or sent a bad key. It gets no answer.</exception>
    public void ReadHello(ReadOnlySpan<byte> hello) => Secrets.ReadHello(hello);

    /// <summary>Message 2, 64 bytes.</summary>
    public void WriteHello(Span<byte> hello) => Secrets.WriteHello(hello);

    /// <summary>Reads message 3, 112 bytes, and tells who the client is, which is now proven.</summary>
    /// <exception cref="HandshakeException">The client meant another server, or did not prove who it is. It gets no answer.</exception>
    public FeedId ReadAuthentication(ReadOnlySpan<byte> authentication)
    {
        HandshakeSecrets.RequireLength(authentication.Length, SecretHandshake.AuthenticationLength);
        Span<byte> curve = stackalloc byte[32];
        Sodium.ToCurveSecretKey(_self.SecretKey, curve);
        HandshakeSecrets.DeriveShared(curve, Secrets.RemoteEphemeralPublic, Secrets.SharedWithServer);
        CryptographicOperations.ZeroMemory(curve);
        Secrets.DeriveAuthenticationKey();

        Span<byte> claim = stackalloc byte[96];
        if (!Sodium.TryOpenSecretBox(authentication[..16], authentication[16..], HandshakeSecrets.ZeroNonce, Secrets.AuthenticationKey, claim))
        {
            throw new HandshakeException(HandshakeFailure.NotProven, "The client dialled another identity than this server's.");
        }

        claim[..64].CopyTo(_clientSignature);
        _client = new FeedId(claim[64..]);
        Span<byte> proof = stackalloc byte[96];
        Secrets.WriteClientProof(_self.Id, proof);
        if (!Sodium.Verify(_clientSignature, proof, _client.AsSpan()))
        {
            throw new HandshakeException(HandshakeFailure.NotProven, "The client did not prove that it is who it claims to be.");
        }

        HandshakeSecrets.ToCurve(_client, curve);
        HandshakeSecrets.DeriveShared(Secrets.EphemeralSecret, curve, Secrets.SharedWithClient);
        Secrets.DeriveAcceptanceKey();
        return _client;
    }

    /// <summary>Message 4, 80 bytes, which accepts the client; and the session's keys.</summary>
    public BoxStreamKeys WriteAcceptance(Span<byte> acceptance)
    {
        HandshakeSecrets.RequireLength(acceptance.Length, SecretHandshake.AcceptanceLength);
        Span<byte> proof = stackalloc byte[160];
        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        Secrets.WriteServerProof(_clientSignature, _client, proof);
        _self.Sign(proof, signature);
        Sodium.SecretBox(signature, HandshakeSecrets.ZeroNonce, Secrets.AcceptanceKey, acceptance[..16], acceptance[16..]);
        return Secrets.DeriveSessionKeys(_self.Id, _client);
    }

    /// <summary>Wipes the secrets of the handshake.</summary>
    public void Dispose() => Secrets.Dispose();
}
