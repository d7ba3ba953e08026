using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Configuration;

/// <summary>Reads the texts of configuration values. Each throws a <see cref="FormatException"/> for what is not allowed.</summary>
internal static class ConfigurationValue
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("B", 1),
    ];

    public static int Integer(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException();

    public static long Size(string text)
    {
        var digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.'))
        {
            digits++;
        }

        var unit = text.AsSpan(digits).Trim();
        long factor = unit.IsEmpty ? 1 : 0;
        foreach (var (name, bytes) in Units)
        {
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                factor = bytes;
            }
        }

        return factor > 0
            && decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue / factor
                ? (long)(number * factor)
                : throw new FormatException();
    }

    public static bool Switch(string text) => text switch
    {
        "on" => true,
        "off" => false,
        _ => throw new FormatException(),
    };

    public static LogLevel LogLevel(string text) => text switch
    {
        "trace" => Microsoft.Extensions.Logging.LogLevel.Trace,
        "debug" => Microsoft.Extensions.Logging.LogLevel.Debug,
        "info" => Microsoft.Extensions.Logging.LogLevel.Information,
        "warn" => Microsoft.Extensions.Logging.LogLevel.Warning,
        "error" => Microsoft.Extensions.Logging.LogLevel.Error,
        "none" => Microsoft.Extensions.Logging.LogLevel.None,
        _ => throw new FormatException(),
    };

    public static string Directory(string text) => FilePath(text);

    public static string FilePath(string text)
    {
        if (text.Length == 0 || text.Contains('\0'))
        {
            throw new FormatException();
        }

        if (text == "~" || text.StartsWith("~/", StringComparison.Ordinal))
        {
            text = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + text[1..];
        }

        return Path.GetFullPath(text);
    }

    public static NetworkKey NetworkKey(string text) => Scuttlebutt.Identities.NetworkKey.Parse(text);

    public static HmacKey? HmacKey(string text) =>
        text == "none" ? null : Scuttlebutt.Identities.HmacKey.Parse(text);

    public static IReadOnlyList<IPAddress> Addresses(IReadOnlyList<string> texts)
    {
        var addresses = new List<IPAddress>();
        foreach (var text in texts)
        {
            switch (text)
            {
                case "*" when texts.Count == 1:
                    return [];
                case "localhost":
                    addresses.Add(IPAddress.Loopback);
                    addresses.Add(IPAddress.IPv6Loopback);
                    break;
                default:
                    addresses.Add(IPAddress.TryParse(text.AsSpan().Trim("[]"), out var address) ? address : throw new FormatException());
                    break;
            }
        }

        return addresses;
    }

    public static IReadOnlyList<string> Hosts(IReadOnlyList<string> texts)
    {
        foreach (var text in texts)
        {
            // A port, a scheme or a path here would end up inside an invite code; say so now.
            if (Uri.CheckHostName(text.Trim('[', ']')) == UriHostNameType.Unknown)
            {
                throw new FormatException();
            }
        }

        return [.. texts.Select(text => text.Trim('[', ']'))];
    }

    public static Uri WebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.Host.Length > 0 ? address : throw new FormatException();

    public static string HostLabel(string text) =>
        PeerHost.IsName(text) && !text.Contains('.') && !text.Contains('_') ? text.ToLowerInvariant() : throw new FormatException();

    public static IReadOnlyList<MultiserverAddress> PeerAddresses(IReadOnlyList<string> texts)
    {
        var addresses = new List<MultiserverAddress>();
        foreach (var text in texts)
        {
            addresses.Add(MultiserverAddress.TryParseAny(text, out var address) && address.IsDialable && address.Seed is null ? address : throw new FormatException());
        }

        return addresses;
    }
}
