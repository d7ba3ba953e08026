using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PiPub.Node.Sentences;

namespace PiPub.Appliance.Provisioning;

/// <summary>
/// The file <c>wifi</c>: which wireless network the box joins. Lines <c>ssid = ...</c>, <c>password = ...</c>, <c>country = DE</c>;
/// or the same three as bare lines in this order.
/// </summary>
/// <param name="Ssid">The network's name, 1 to 32 bytes.</param>
/// <param name="Password">8 to 63 bytes; null for a network without one.</param>
/// <param name="Country">Two capital letters of ISO 3166: without them the radio stays off, as each country allows other channels.</param>
/// <remarks>
/// References: IEEE 802.11-2020, J.4.1 (passphrase to PSK: PBKDF2 with HMAC-SHA-1, 4,096 rounds, 256 bits); wpa_supplicant.conf(5).
/// Names and passwords are written in hexadecimal, so that nothing in them can be read as configuration.
/// </remarks>
public sealed record WifiFile(string Ssid, string? Password, string Country)
{
    /// <summary>The file's name.</summary>
    public const string Name = "wifi";

    private const int MaxSsid = 32;
    private const int MinPassword = 8;
    private const int MaxPassword = 63;
    private const int Rounds = 4096;

    /// <summary>Reads it.</summary>
    /// <param name="lines">The file.</param>
    /// <param name="wifi">What it says; null when that is not whole.</param>
    /// <param name="problems">What is wrong.</param>
    public static bool TryRead(IReadOnlyList<string> lines, [NotNullWhen(true)] out WifiFile? wifi, out IReadOnlyList<CardProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var found = new List<CardProblem>();
        var values = new Dictionary<string, (string Value, int Line)>(StringComparer.Ordinal);
        var written = lines.Select(static (text, index) => (Text: text.Trim(), Line: index + 1)).Where(static line => line.Text.Length > 0 && line.Text[0] != '#').ToList();
        var isBare = written.Count is >= 1 and <= 3 && written.TrueForAll(static line => KeyOf(line.Text) is null);
        string[] order = ["ssid", "password", "country"];
        foreach (var (text, line) in written)
        {
            var key = isBare ? order[values.Count] : KeyOf(text);
            if (key is null)
            {
                found.Add(new CardProblem(Name, line, Sentence.Of($"this is not understood."), Sentence.Of($"Each line is ssid = name, password = password, or country = DE.")));
            }
            else if (!values.TryAdd(key, (isBare ? text : text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim(), line)))
            {
                found.Add(new CardProblem(Name, line, Sentence.Of($"{key} is there a second time."), Sentence.Of($"Keep one of the lines.")));
            }
        }

        var ssid = values.GetValueOrDefault("ssid");
        var password = values.GetValueOrDefault("password");
        var country = values.GetValueOrDefault("country");
        if (Encoding.UTF8.GetByteCount(ssid.Value ?? "") is 0 or > MaxSsid)
        {
            found.Add(new CardProblem(Name, ssid.Line > 0 ? ssid.Line : null, Sentence.Of($"the name of the network is missing or too long."), Sentence.Of($"Write it as ssid = name, with at most {MaxSsid} bytes.")));
        }

        if (password.Value != "none" && Encoding.UTF8.GetByteCount(password.Value ?? "") is < MinPassword or > MaxPassword)
        {
            found.Add(new CardProblem(Name, password.Line > 0 ? password.Line : null, Sentence.Of($"a Wi-Fi password has {MinPassword} to {MaxPassword} characters."), Sentence.Of($"Write it as password = ..., or password = none for a network without one.")));
        }

        if (country.Value is not { Length: 2 } letters || !letters.All(char.IsAsciiLetter))
        {
            found.Add(new CardProblem(Name, country.Line > 0 ? country.Line : null, Sentence.Of($"the country is missing."), Sentence.Of($"Write it as two letters, country = DE: each country allows other radio channels.")));
        }

        problems = found;
        wifi = found.Count == 0 ? new WifiFile(ssid.Value!, password.Value == "none" ? null : password.Value, country.Value!.ToUpperInvariant()) : null;
        return wifi is not null;
    }

    /// <summary>The configuration of wpa_supplicant that joins this network. It holds the password, and is for root alone.</summary>
    public string ToSupplicant()
    {
        var text = new StringBuilder("# Made of the file wifi on the card.\n");
        text.Append(CultureInfo.InvariantCulture, $"country={Country}\nnetwork={{\n  ssid={Hex(Ssid)}\n  scan_ssid=1\n");
        if (Password is null)
        {
            return text.Append("  key_mgmt=NONE\n}\n").ToString();
        }

        // The key for WPA2; WPA3 makes its own of the password, and asks for protected management frames.
        var key = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(Password), Encoding.UTF8.GetBytes(Ssid), Rounds, HashAlgorithmName.SHA1, 32);
        return text.Append(CultureInfo.InvariantCulture, $"  key_mgmt=WPA-PSK SAE\n  psk={Convert.ToHexStringLower(key)}\n  sae_password={Hex(Password)}\n  ieee80211w=1\n}}\n").ToString();
    }

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    private static string? KeyOf(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && text[..equals].Trim().ToLowerInvariant() is "ssid" or "password" or "country" ? text[..equals].Trim().ToLowerInvariant() : null;
    }
}
