using System.Security.Cryptography;
using System.Text;

namespace PiPub.Web.Access;

/// <summary>
/// What whoever claims a new box has to know, so that no neighbour on the local network does: eight digits that only
/// somebody at the box can read, and that are others at every start; or what its owner wrote into the claim file.
/// </summary>
/// <remarks>Letters and digits count, and nothing between them; large and small letters are the same, since phones begin with a large one.</remarks>
public sealed class ClaimCode
{
    /// <summary>The least letters and digits that a code of the owner's own must have.</summary>
    public const int Least = 8;

    /// <summary>The longest code, in characters of its text.</summary>
    public const int Most = 128;

    private const int Digits = 8;
    private readonly byte[] _signs;

    /// <summary>Makes a code of eight digits.</summary>
    public ClaimCode()
    {
        var digits = RandomNumberGenerator.GetString("0123456789", Digits);
        (Text, _signs) = ($"{digits[..4]}-{digits[4..]}", Encoding.ASCII.GetBytes(digits));
    }

    private ClaimCode(byte[] signs) => _signs = signs;

    /// <summary>The code as a person reads it: 1234-5678. Null when its owner chose it, and needs not be told.</summary>
    public string? Text { get; }

    /// <summary>The code that its owner chose; null when it has too few letters and digits, or is too long.</summary>
    public static ClaimCode? Chosen(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var signs = Signs(text);
        return text.Length <= Most && signs.Length >= Least ? new ClaimCode(Encoding.UTF8.GetBytes(signs)) : null;
    }

    /// <summary>Whether this is the code, whatever stands between its signs. Takes the same time for every wrong one.</summary>
    public bool Matches(string? text) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Signs(text is { Length: <= Most } ? text : "")), _signs);

    /// <summary>By which a code that was used is known again, without telling it.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(_signs));

    private static string Signs(string text)
    {
        var signs = new StringBuilder(Math.Min(text.Length, Most));
        foreach (var c in text)
        {
            if (char.IsLetterOrDigit(c))
            {
                signs.Append(char.ToUpperInvariant(c));
            }
        }

        return signs.ToString();
    }
}
