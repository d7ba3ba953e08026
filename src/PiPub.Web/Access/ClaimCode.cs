using System.Security.Cryptography;
using System.Text;

namespace PiPub.Web.Access;

/// <summary>
/// What whoever claims a new box has to know, so that no neighbour on the local network does: eight digits that only
/// somebody at the box can read, and that are others at every start.
/// </summary>
public sealed class ClaimCode
{
    private const int Digits = 8;
    private readonly string _digits = RandomNumberGenerator.GetString("0123456789", Digits);

    /// <summary>The code as a person reads it: 1234-5678.</summary>
    public string Text => $"{_digits[..4]}-{_digits[4..]}";

    /// <summary>Whether this is the code, whatever stands between its digits. Takes the same time for every wrong one.</summary>
    public bool Matches(string? text)
    {
        var digits = new StringBuilder(Digits);
        foreach (var c in (text ?? "").AsSpan(0, Math.Min(text?.Length ?? 0, 64)))
        {
            if (char.IsAsciiDigit(c))
            {
                digits.Append(c);
            }
        }

        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(digits.ToString()), Encoding.ASCII.GetBytes(_digits));
    }
}
