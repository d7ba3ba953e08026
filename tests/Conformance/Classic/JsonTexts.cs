using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace PiPub.Conformance.Classic;

/// <summary>
/// JSON texts that ask every question a writer of JavaScript's JSON can get wrong. A text is made as a string whose
/// characters are its bytes (Latin-1), so that broken UTF-8 can be made too.
/// </summary>
internal static class JsonTexts
{
    private static readonly string[] OddNumbers =
    [
        "0", "-0", "-0.0", "0e5", "-0e-5", "1.0", "1E3", "1e3", "1e+3", "1e21", "1e20", "999999999999999999999", "1000000000000000000000",
        "123456789012345678901", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "999999999999999",
        "1000000000000000", "9999999999999999", "0.000001", "0.0000001", "1e-6", "1e-7", "1.5e-7", "123e-20", "5e-324", "2e-324", "4.9406564584124654e-324",
        "2.2250738585072014e-308", "2.2250738585072011e-308", "1.7976931348623157e308", "1.7976931348623159e308", "1e400", "-1e400", "1e-400",
        "0.1", "0.30000000000000004", "1500000000000.5", "1500000000000.001", "4294967295", "4294967296", "1.10", "100e-2", "5e-7", "4.35", "8.41e21", "9.5367431640625e-7",
    ];

    private static readonly string[] OddKeys =
    [
        "", "0", "1", "2", "9", "10", "01", "00", "-0", "-1", "1.0", "1e3", " 1", "4294967294", "4294967295", "4294967296", "42949672940", "999999999",
        "2147483647", "2147483648", "9007199254740991", "__proto__", "constructor", "toString", "toJSON", "length", "hasOwnProperty", "type", "a", "b", "c",
        @"\u0031", @"\u0061", @"1\u0030", @"\u005f_proto__", @"\ud800", @"\udc00",
    ];

    private static readonly Gen<string> Character = Gen.Frequency(
        (12, Gen.Choose(0x20, 0x7E).Select(c => c is '"' or '\\' ? "x" : ((char)c).ToString())),
        (3, Gen.Elements("\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t")),
        (3, Gen.Choose(0, 0xFFFF).SelectMany(_ => Gen.Elements("x4", "X4"), (unit, format) => "\\u" + unit.ToString(format, CultureInfo.InvariantCulture))),
        (2, Gen.Choose(0, 0x22).Select(unit => "\\u" + unit.ToString("x4", CultureInfo.InvariantCulture))),
        (2, Gen.Choose(0xD7FF, 0xE000).Select(unit => "\\u" + unit.ToString("x4", CultureInfo.InvariantCulture))),
        (2, Gen.Choose(0x10000, 0x10FFFF).Select(point => Escaped(point))),
        (4, Gen.OneOf(Gen.Choose(0x80, 0x7FF), Gen.Choose(0x800, 0xD7FF), Gen.Choose(0xE000, 0xFFFF), Gen.Choose(0x10000, 0x10FFFF)).Select(Raw)),
        (2, Gen.Elements(0x7F, 0x80, 0x7FF, 0x800, 0xFEFF, 0x2028, 0x2029, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF, 0xE9, 0x20AC, 0x1F600).Select(Raw)));

    private static readonly Gen<string> Broken = Gen.OneOf(
        Gen.Choose(0x80, 0xFF).Select(b => ((char)b).ToString()),
        Gen.Elements("\xED\xA0\x80", "\xED\xBF\xBF", "\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x98", "\xFE", "\xC3", "\xEF\xBB"));

    private static readonly Gen<string> Text = Gen.Frequency(
        (6, Gen.ArrayOf(Character).Select(string.Concat)),
        (3, Gen.ArrayOf(Gen.Choose('a', 'z').Select(c => ((char)c).ToString())).Select(string.Concat)),
        (1, Gen.ArrayOf(Gen.Frequency((5, Character), (1, Broken))).Select(string.Concat)));

    private static readonly Gen<string> Digits = Gen.Choose(1, 40).SelectMany(count => Gen.ArrayOf(Gen.Choose('0', '9').Select(c => (char)c), count)).Select(c => new string(c));

    private static readonly Gen<double> AnyDouble = Gen.Choose(int.MinValue, int.MaxValue).Two()
        .Select(halves => BitConverter.Int64BitsToDouble(((long)halves.Item1 << 32) | (uint)halves.Item2))
        .Where(double.IsFinite);

    private static readonly Gen<string> Number = Gen.Frequency(
        (4, Gen.Choose(-1000, 100000).Select(n => n.ToString(CultureInfo.InvariantCulture))),
        (3, Gen.Elements(OddNumbers)),
        (2, AnyDouble.SelectMany(_ => Gen.Elements("R", "E5", "E14", "E15", "E16", "E20"), (d, format) => d.ToString(format, CultureInfo.InvariantCulture))),
        (2, Digits.Select(d => d.TrimStart('0') is { Length: > 0 } t ? t : "0")),
        (2, Digits.Two().SelectMany(_ => Gen.Choose(-330, 310), (d, e) => $"{(d.Item1.TrimStart('0') is { Length: > 0 } t ? t : "0")}.{d.Item2}e{e}")),
        (2, Gen.Choose(0, int.MaxValue).SelectMany(_ => Gen.Choose(0, 12), (n, places) => (n / Math.Pow(10, places)).ToString("R", CultureInfo.InvariantCulture))));

    private static readonly Gen<string> Key = Gen.Frequency(
        (3, Gen.Elements(OddKeys)),
        (2, Gen.Elements("a", "b", "c", "1", "2", "3")),
        (1, Gen.Choose(0, 20).Select(n => n.ToString(CultureInfo.InvariantCulture))),
        (3, Text));

    private static readonly Gen<string> Space = Gen.Frequency((9, Gen.Constant("")), (1, Gen.Elements(" ", "\n", "\r\n", "\t", "  \n")));

    private static readonly Gen<string> Scalar = Gen.Frequency(
        (5, Text.Select(t => $"\"{t}\"")),
        (4, Number),
        (1, Gen.Elements("true", "false", "null")));

    /// <summary>Whole texts; about one in eight has been damaged and is probably no JSON any more.</summary>
    public static Gen<byte[]> Any { get; } = Gen.Frequency(
        (12, Gen.Sized(Value)),
        (1, Gen.Choose(1, 200).Select(depth => new string('[', depth) + new string(']', depth))),
        (1, Gen.Choose(1, 200).Select(depth => string.Concat(Enumerable.Repeat("{\"2\":0,\"1\":", depth)) + "1" + new string('}', depth))),
        (2, Gen.Sized(Value).SelectMany(Damaged)))
        .SelectMany(_ => Space.Two(), (text, space) => Encoding.Latin1.GetBytes(space.Item1 + text + space.Item2));

    private static Gen<string> Value(int size)
    {
        if (size <= 1)
        {
            return Scalar;
        }

        // Each value takes a share of the size, so that a text stays about as large as it was asked to be.
        var items = Gen.Choose(0, Math.Min(8, size));
        return Gen.Frequency(
            (2, Scalar),
            (2, items.SelectMany(count => Gen.ArrayOf(Spaced(Value(size / Math.Max(1, count))), count)).Select(all => $"[{string.Join(',', all)}]")),
            (5, items.SelectMany(count => Gen.ArrayOf(Entry(size / Math.Max(1, count)), count)).Select(all => $"{{{string.Join(',', all)}}}")));
    }

    private static Gen<string> Entry(int size) =>
        Spaced(Key.Select(k => $"\"{k}\"")).SelectMany(_ => Spaced(Value(size)), (key, value) => $"{key}:{value}");

    private static Gen<string> Spaced(Gen<string> inner) =>
        Space.Two().SelectMany(_ => inner, (space, text) => space.Item1 + text + space.Item2);

    private static Gen<string> Damaged(string text) =>
        Gen.Choose(0, Math.Max(0, text.Length - 1)).SelectMany(at => Gen.Choose(0, 3).SelectMany(_ => Gen.Choose(0, 255), (how, b) => how switch
        {
            0 => text[..at],
            1 => text.Insert(at, ((char)b).ToString()),
            2 => text.Length > 0 ? text.Remove(at, 1) : "",
            _ => text + (char)b,
        }));

    private static string Raw(int point) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(char.ConvertFromUtf32(point)));

    private static string Escaped(int point)
    {
        var pair = char.ConvertFromUtf32(point);
        return $"\\u{(int)pair[0]:x4}\\u{(int)pair[1]:X4}";
    }
}
