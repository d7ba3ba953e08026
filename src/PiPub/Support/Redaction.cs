using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace PiPub.Support;

/// <summary>
/// Takes out of a text what is secret or says who somebody is: everything that looks like a key, an id, a token or a code, however
/// it is written. What is the same stays the same within one bundle, and is another in the next.
/// </summary>
/// <remarks>A net under all parts of the bundle, whichever way something came there.</remarks>
internal sealed partial class Redaction
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The text without them.</summary>
    public string Apply(string text) => Secrets().Replace(text, match => Alias(match.Value));

    /// <summary>What stands for one of them in this bundle.</summary>
    public string Alias(string value)
    {
        // The same feed in an id, in an address and in an invite.
        var dot = value.IndexOf('.', StringComparison.Ordinal);
        var core = (dot < 0 ? value : value[..dot]).TrimStart('@', '%', '&').TrimEnd('=');
        return "id-" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(core)).AsSpan(0, 4));
    }

    // 30 bytes and more in base64 or base64url; 12 and more in hex; claim codes; e-mail addresses. A long path or word may fall to
    // it as well, which costs nothing but a word.
    [GeneratedRegex(@"[@%&]?[A-Za-z0-9+/_=-]{40,}(?:\.(?:ed25519|sha256))?|[A-Za-z0-9+/]{22}==|\b[0-9A-Fa-f]{24,}\b|\b[0-9]{4}-[0-9]{4}\b|[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+", RegexOptions.None, 5000)]
    private static partial Regex Secrets();
}
