using System.Globalization;
using System.Text;

namespace PiPub.Fuzz;

/// <summary>
/// JSON.stringify(JSON.parse(text)) written the plain way, with trees and strings, to hold the fast one against. Nothing of it is shared.
/// Source: ECMA-262, JSON.parse, SerializeJSONProperty, QuoteJSONString, Number::toString, OrdinaryOwnPropertyKeys.
/// </summary>
internal sealed class SlowJson
{
    private readonly string _text;
    private int _at;
    private int _depth;

    private SlowJson(string text) => _text = text;

    /// <summary>Both forms as UTF-16, lone surrogates spelled out; null for what is no JSON or nested more deeply than 512.</summary>
    public static (string Compact, string Indented)? Stringify(ReadOnlySpan<byte> utf8)
    {
        var json = new SlowJson(Encoding.UTF8.GetString(utf8));
        try
        {
            json.Space();
            var value = json.Value();
            json.Space();
            if (json._at < json._text.Length)
            {
                return null;
            }

            var (compact, indented) = (new StringBuilder(), new StringBuilder());
            Write(compact, value, indent: null);
            Write(indented, value, "\n");
            return (compact.ToString(), indented.ToString());
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private char Peek => _at < _text.Length ? _text[_at] : throw new FormatException();

    private static void Write(StringBuilder to, object? value, string? indent)
    {
        switch (value)
        {
            case null:
                to.Append("null");
                break;
            case bool b:
                to.Append(b ? "true" : "false");
                break;
            case double d:
                to.Append(Number(d));
                break;
            case string s:
                Quote(to, s);
                break;
            case List<object?> list:
                WriteAll(to, '[', ']', list.Count, indent, (i, inner) => Write(to, list[i], inner));
                break;
            case List<(string Key, object? Value)> members:
                var ordered = members.Where(static m => Index(m.Key) is not null).OrderBy(static m => Index(m.Key)).Concat(members.Where(static m => Index(m.Key) is null)).ToList();
                WriteAll(to, '{', '}', ordered.Count, indent, (i, inner) =>
                {
                    Quote(to, ordered[i].Key);
                    to.Append(indent is null ? ":" : ": ");
                    Write(to, ordered[i].Value, inner);
                });
                break;
        }
    }

    private static void WriteAll(StringBuilder to, char open, char close, int count, string? indent, Action<int, string?> write)
    {
        to.Append(open);
        var inner = indent is null ? null : indent + "  ";
        for (var i = 0; i < count; i++)
        {
            to.Append(i > 0 ? "," : "").Append(inner);
            write(i, inner);
        }

        to.Append(count > 0 ? indent : "").Append(close);
    }

    private static uint? Index(string key) =>
        uint.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < uint.MaxValue && index.ToString(CultureInfo.InvariantCulture) == key ? index : null;

    private static void Quote(StringBuilder to, string text)
    {
        to.Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                to.Append(c).Append(text[++i]);
                continue;
            }

            _ = c switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\b' => to.Append("\\b"),
                '\f' => to.Append("\\f"),
                '\n' => to.Append("\\n"),
                '\r' => to.Append("\\r"),
                '\t' => to.Append("\\t"),
                < ' ' => to.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                >= '\ud800' and <= '\udfff' => to.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => to.Append(c),
            };
        }

        to.Append('"');
    }

    private static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return "null";
        }

        if (value == 0)
        {
            return "0";
        }

        // E16 has 17 digits, which always suffice; the fewest that read back are looked for.
        for (var digits = 0; ; digits++)
        {
            var text = Math.Abs(value).ToString("E" + digits, CultureInfo.InvariantCulture);
            if (digits < 17 && double.Parse(text, CultureInfo.InvariantCulture) != Math.Abs(value))
            {
                continue;
            }

            var e = text.IndexOf('E', StringComparison.Ordinal);
            var s = text[..e].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
            var (k, n) = (s.Length, int.Parse(text[(e + 1)..], CultureInfo.InvariantCulture) + 1);
            var plain = n is > 0 and <= 21 ? (k <= n ? s + new string('0', n - k) : s[..n] + "." + s[n..])
                : n is > -6 and <= 0 ? "0." + new string('0', -n) + s
                : s[..1] + (k > 1 ? "." + s[1..] : "") + "e" + (n > 0 ? "+" : "-") + Math.Abs(n - 1).ToString(CultureInfo.InvariantCulture);
            return (value < 0 ? "-" : "") + plain;
        }
    }

    private void Space()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private object? Value()
    {
        switch (Peek)
        {
            case '{':
                return Members();
            case '[':
                return Items();
            case '"':
                return Text();
            case 't':
                return Word("true", true);
            case 'f':
                return Word("false", false);
            case 'n':
                return Word("null", null);
            default:
                return Number();
        }
    }

    private object? Word(string word, object? value)
    {
        if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0)
        {
            throw new FormatException();
        }

        _at += word.Length;
        return value;
    }

    private void Enter()
    {
        _at++;
        if (++_depth > 512)
        {
            throw new FormatException();
        }

        Space();
    }

    private List<object?> Items()
    {
        Enter();
        var items = new List<object?>();
        if (Peek == ']')
        {
            _at++;
            _depth--;
            return items;
        }

        while (true)
        {
            Space();
            items.Add(Value());
            if (IsEnd(']'))
            {
                return items;
            }
        }
    }

    private List<(string Key, object? Value)> Members()
    {
        Enter();
        var members = new List<(string Key, object? Value)>();
        if (Peek == '}')
        {
            _at++;
            _depth--;
            return members;
        }

        while (true)
        {
            Space();
            if (Peek != '"')
            {
                throw new FormatException();
            }

            var key = Text();
            Space();
            if (Peek != ':')
            {
                throw new FormatException();
            }

            _at++;
            Space();
            var value = Value();
            var known = members.FindIndex(m => m.Key == key);
            if (known < 0)
            {
                members.Add((key, value));
            }
            else
            {
                members[known] = (key, value);
            }

            if (IsEnd('}'))
            {
                return members;
            }
        }
    }

    private bool IsEnd(char end)
    {
        Space();
        var c = Peek;
        _at++;
        if (c == end)
        {
            _depth--;
            return true;
        }

        return c == ',' ? false : throw new FormatException();
    }

    private string Text()
    {
        var text = new StringBuilder();
        for (_at++; ; _at++)
        {
            var c = Peek;
            if (c == '"')
            {
                _at++;
                return text.ToString();
            }

            if (c < ' ')
            {
                throw new FormatException();
            }

            if (c != '\\')
            {
                text.Append(c);
                continue;
            }

            _at++;
            switch (Peek)
            {
                case '"' or '\\' or '/':
                    text.Append(Peek);
                    break;
                case 'b':
                    text.Append('\b');
                    break;
                case 'f':
                    text.Append('\f');
                    break;
                case 'n':
                    text.Append('\n');
                    break;
                case 'r':
                    text.Append('\r');
                    break;
                case 't':
                    text.Append('\t');
                    break;
                case 'u':
                    if (_at + 4 >= _text.Length || !_text.Substring(_at + 1, 4).All(char.IsAsciiHexDigit))
                    {
                        throw new FormatException();
                    }

                    text.Append((char)Convert.ToInt32(_text.Substring(_at + 1, 4), 16));
                    _at += 4;
                    break;
                default:
                    throw new FormatException();
            }
        }
    }

    private double Number()
    {
        var start = _at;
        if (Peek == '-')
        {
            _at++;
        }

        if (Peek == '0')
        {
            _at++;
        }
        else
        {
            Digits();
        }

        if (_at < _text.Length && _text[_at] == '.')
        {
            _at++;
            Digits();
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            if (Peek is '+' or '-')
            {
                _at++;
            }

            Digits();
        }

        return double.Parse(_text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private void Digits()
    {
        if (!char.IsAsciiDigit(Peek))
        {
            throw new FormatException();
        }

        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }
}
