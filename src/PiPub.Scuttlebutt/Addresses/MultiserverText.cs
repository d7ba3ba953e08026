using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PiPub.Scuttlebutt.Addresses;

/// <summary>One layer of an address: what it is called and what it needs, such as <c>net</c> with a host and a port.</summary>
/// <param name="Name">A lower-case letter, then at least one letter, digit or hyphen.</param>
/// <param name="Data">What stands between the colons, without escapes.</param>
public sealed record MultiserverProtocol(string Name, IReadOnlyList<string> Data);

/// <summary>
/// The grammar of multiserver addresses: alternatives between <c>;</c>, layers between <c>~</c>, data between <c>:</c>,
/// and <c>!</c> before any of these four where it is only a character.
/// </summary>
/// <remarks>Source: multiserver-address 1.0.1 (multiserver.ne). Data are printable ASCII without space. A text has one reading,
/// and a reading one text.</remarks>
internal static class MultiserverText
{
    /// <summary>Longest text that is looked at, in characters; real ones are below 300.</summary>
    public const int MaxLength = 4096;

    public static bool TryRead(ReadOnlySpan<char> text, [NotNullWhen(true)] out List<List<MultiserverProtocol>>? alternatives)
    {
        alternatives = null;
        if (text.Length > MaxLength)
        {
            return false;
        }

        List<List<MultiserverProtocol>> read = [[]];
        for (var at = 0; ; at++)
        {
            if (!TryReadLayer(text, ref at, out var layer))
            {
                return false;
            }

            read[^1].Add(layer);
            if (at == text.Length)
            {
                alternatives = read;
                return true;
            }

            if (text[at] == ';')
            {
                read.Add([]);
            }
        }
    }

    public static string Format(IReadOnlyList<MultiserverProtocol> layers)
    {
        var text = new StringBuilder();
        foreach (var layer in layers)
        {
            if (text.Length > 0)
            {
                text.Append('~');
            }

            text.Append(layer.Name);
            foreach (var data in layer.Data)
            {
                text.Append(':');
                foreach (var c in data)
                {
                    if (c is '!' or ':' or ';' or '~')
                    {
                        text.Append('!');
                    }

                    text.Append(c);
                }
            }
        }

        return text.ToString();
    }

    /// <summary>Reads one layer and stops on the separator behind it, <c>~</c> or <c>;</c>, or at the end.</summary>
    private static bool TryReadLayer(ReadOnlySpan<char> text, ref int at, [NotNullWhen(true)] out MultiserverProtocol? layer)
    {
        layer = null;
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterLower(text[at]) || (at > start && (char.IsAsciiDigit(text[at]) || text[at] == '-'))))
        {
            at++;
        }

        if (at - start < 2)
        {
            return false;
        }

        var name = text[start..at].ToString();
        var data = new List<string>();
        while (at < text.Length && text[at] == ':')
        {
            at++;
            if (!TryReadData(text, ref at, out var value))
            {
                return false;
            }

            data.Add(value);
        }

        if (at < text.Length && text[at] is not ('~' or ';'))
        {
            return false;
        }

        layer = new MultiserverProtocol(name, data);
        return true;
    }

    private static bool TryReadData(ReadOnlySpan<char> text, ref int at, out string value)
    {
        value = "";
        var plain = new StringBuilder();
        for (; at < text.Length && text[at] is not (':' or ';' or '~'); at++)
        {
            if (text[at] == '!')
            {
                at++;
                if (at == text.Length || text[at] is not ('!' or ':' or ';' or '~'))
                {
                    return false;
                }
            }
            else if (text[at] is < '"' or > '}')
            {
                return false;
            }

            plain.Append(text[at]);
        }

        value = plain.ToString();
        return true;
    }
}
