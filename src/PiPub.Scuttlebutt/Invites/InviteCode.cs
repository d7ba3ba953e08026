using System.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Invites;

/// <summary>How an invited client reaches the pub.</summary>
public enum InviteTransport
{
    /// <summary>TCP.</summary>
    Net,

    /// <summary>A Tor onion service.</summary>
    Onion,

    /// <summary>WebSocket.</summary>
    Ws,

    /// <summary>WebSocket inside TLS.</summary>
    Wss,
}

/// <summary>
/// An invite code: where a pub is, who it is, and the seed of the one-purpose key that lets a stranger in to be followed.
/// </summary>
/// <remarks>
/// <para>References: ssb-invite 3.0.1, ssb-invite-client 1.3.3, ssb-ref 2.16.0 (isInvite, parseInvite, isHost), multiserver-address 1.0.1.</para>
/// <para>Legacy form: <c>host:port:@(key).ed25519~(seed)</c>, both base64 of 32 bytes. Host and port are split from the right, for
/// an IPv6 host has colons of its own. Multiserver form: <c>net:host:port~shs:(key):(seed)</c>, and
/// <c>ws://host:port~shs:(key):(seed)</c>.</para>
/// <para>Whoever holds the seed can use the invite: handle a code as a secret until it is spent.</para>
/// </remarks>
/// <param name="Transport">How to connect.</param>
/// <param name="Host">A name or an IP address, an IPv6 one without brackets.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Pub">The pub's identity.</param>
/// <param name="Seed">The Ed25519 seed of the invite's key.</param>
public sealed record InviteCode(InviteTransport Transport, string Host, int Port, FeedId Pub, Bytes32 Seed)
{
    /// <summary>The port that is meant when an old code names none.</summary>
    public const int DefaultPort = 8008;

    /// <summary>The form that every client knows, and that people call an invite code. WebSocket ones begin with ws:// or wss://.</summary>
    public string ToLegacyText() => $"{UrlPrefix}{UrlHost}:{Port}:{Pub}~{Convert.ToBase64String(Seed.AsSpan())}";

    /// <summary>The form of multiserver addresses with the seed behind the key.</summary>
    public string ToMultiserverText() => $"{Address}:{Convert.ToBase64String(Seed.AsSpan())}";

    /// <summary>The pub's multiserver address, without the seed: this part may be shown to anybody.</summary>
    public string Address => $"{(UrlPrefix.Length > 0 ? UrlPrefix : Transport == InviteTransport.Onion ? "onion:" : "net:")}{UrlHost}:{Port}~shs:{Convert.ToBase64String(Pub.AsSpan())}";

    /// <summary>The key with which an invited client connects.</summary>
    public KeyPair ToKeyPair() => KeyPair.FromSeed(Seed.AsSpan());

    /// <summary>Shows everything but the seed, so that a code does not leak into a log.</summary>
    public override string ToString() => Address + ":(seed)";

    /// <summary>Reads a code in any form that people paste: with quotes, line breaks and a <c>#...</c> behind it.</summary>
    /// <param name="text">What was pasted.</param>
    /// <param name="code">The code, or null.</param>
    /// <param name="problem">What is wrong, in words for the person who pasted it; empty when nothing is.</param>
    public static bool TryParse(string? text, out InviteCode? code, out string problem) => InviteCodeText.TryParse(text, out code, out problem);

    /// <summary>Reads a code.</summary>
    /// <exception cref="FormatException">The text is no invite code; the message says why.</exception>
    public static InviteCode Parse(string text) => TryParse(text, out var code, out var problem) ? code! : throw new FormatException(problem);

    // In a URL the colons of an IPv6 address stand in brackets; elsewhere the JavaScript clients want none.
    private string UrlHost => UrlPrefix.Length > 0 && Host.Contains(':') ? $"[{Host}]" : Host;

    private string UrlPrefix => Transport switch
    {
        InviteTransport.Ws => "ws://",
        InviteTransport.Wss => "wss://",
        _ => "",
    };

    // The compiler would print every member, the seed included.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append(ToString());
        return true;
    }
}
