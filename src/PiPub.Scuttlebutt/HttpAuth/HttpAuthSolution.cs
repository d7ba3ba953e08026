using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.HttpAuth;

/// <summary>How an SSB app proves to a server that its person is the one who signs in with a browser.</summary>
/// <remarks>
/// <para>References: ssbc/sips 006 (HTTP Authentication); ssb-http-auth-client 1.1.1, lib/solution.js.</para>
/// <para>Nonces: sc, made by the server, and cc, made by the client; 32 random bytes each, as 44 characters of base64. Signed by the
/// client, with Ed25519, is the UTF-8 of <c>=http-auth-sign-in:(sid):(cid):(sc):(cc)</c>, where sid and cid are the feed ids of server and
/// client; 216 bytes. The solution is <c>(88 characters of base64).sig.ed25519</c>, 100 characters. No message that anybody
/// publishes begins with <c>=</c>, so that one cannot be taken for the other.</para>
/// </remarks>
public static class HttpAuthSolution
{
    /// <summary>Length of a nonce's text, in characters.</summary>
    public const int NonceLength = SigilText.Base64Length;

    /// <summary>Length of a solution, in characters.</summary>
    public const int Length = 100;

    private const string Suffix = ".sig.ed25519";

    /// <summary>A new nonce.</summary>
    public static string NewNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes32.Length));

    /// <summary>Whether a text is a nonce: 32 bytes in their one canonical spelling. Nothing else may come into what is signed.</summary>
    public static bool IsNonce(string? text) =>
        text is { Length: NonceLength } && Ascii.IsValid(text) && SigilText.TryDecode(Encoding.ASCII.GetBytes(text), out _);

    /// <summary>Solves a challenge, as a client does.</summary>
    /// <param name="client">Who signs in.</param>
    /// <param name="server">Where.</param>
    /// <param name="sc">The server's nonce.</param>
    /// <param name="cc">The client's nonce.</param>
    public static string Solve(KeyPair client, FeedId server, string sc, string cc)
    {
        ArgumentNullException.ThrowIfNull(client);
        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        client.Sign(Text(server, client.Id, sc, cc), signature);
        return Convert.ToBase64String(signature) + Suffix;
    }

    /// <summary>Whether a solution is the client's own for this server and these nonces. Never throws, whatever the texts are.</summary>
    /// <param name="solution">The solution.</param>
    /// <param name="client">Who is to have made it.</param>
    /// <param name="server">Where it is shown.</param>
    /// <param name="sc">The server's nonce.</param>
    /// <param name="cc">The client's nonce.</param>
    public static bool Verify(string? solution, FeedId client, FeedId server, string? sc, string? cc)
    {
        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes + 2];
        return solution is { Length: Length } && solution.EndsWith(Suffix, StringComparison.Ordinal)
            && IsNonce(sc) && IsNonce(cc)
            && Convert.TryFromBase64Chars(solution.AsSpan(0, Length - Suffix.Length), signature, out var written) && written == Sodium.SignatureBytes
            && solution.AsSpan().StartsWith(Convert.ToBase64String(signature[..written]))
            && Sodium.Verify(signature[..Sodium.SignatureBytes], Text(server, client, sc!, cc!), client.AsSpan());
    }

    private static byte[] Text(FeedId server, FeedId client, string sc, string cc) => Encoding.UTF8.GetBytes($"=http-auth-sign-in:{server}:{client}:{sc}:{cc}");
}
