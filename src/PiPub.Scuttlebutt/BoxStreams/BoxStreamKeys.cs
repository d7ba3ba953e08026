using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>A key of 32 bytes and a first nonce of 24 for each direction, as the handshake leaves them.</summary>
/// <remarks>A class without a text form, so that keys do not end in a log by accident.</remarks>
public sealed class BoxStreamKeys(Bytes32 sendKey, BoxNonce sendNonce, Bytes32 receiveKey, BoxNonce receiveNonce)
{
    /// <summary>Seals what this side sends.</summary>
    public Bytes32 SendKey { get; } = sendKey;

    /// <summary>The nonce of the first box that this side sends.</summary>
    public BoxNonce SendNonce { get; } = sendNonce;

    /// <summary>Opens what this side receives.</summary>
    public Bytes32 ReceiveKey { get; } = receiveKey;

    /// <summary>The nonce of the first box that this side receives.</summary>
    public BoxNonce ReceiveNonce { get; } = receiveNonce;
}
