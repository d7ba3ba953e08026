using System.Globalization;
using System.Text.Json;

namespace PiPub.Node.Sentences;

/// <content>A sentence on its way from one program to another: <c>{"words":"It has {0} lines.","values":[7]}</c>, or <c>{"verbatim":"..."}</c>.</content>
public sealed partial class Sentence
{
    private const int MostInside = 8;

    /// <summary>Writes it.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        if (IsVerbatim)
        {
            json.WriteString("verbatim"u8, Format);
            json.WriteEndObject();
            return;
        }

        json.WriteString("words"u8, Format);
        json.WriteStartArray("values"u8);
        foreach (var value in Values)
        {
            switch (value)
            {
                case Sentence inner:
                    inner.WriteTo(json);
                    break;
                case int number:
                    json.WriteNumberValue(number);
                    break;
                case long number:
                    json.WriteNumberValue(number);
                    break;
                default:
                    json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">It is none, or its words ask for values that it has not.</exception>
    public static Sentence Read(JsonElement json)
    {
        try
        {
            var sentence = Read(json, MostInside);
            _ = sentence.ToString();
            return sentence;
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("That is no sentence.", e);
        }
    }

    private static Sentence Read(JsonElement json, int inside) => inside == 0 ? throw new FormatException("Sentences stand in each other without end.")
        : json.TryGetProperty("verbatim"u8, out var verbatim) ? Verbatim(verbatim.GetString() ?? "")
        : new Sentence(
            json.GetProperty("words"u8).GetString() ?? "",
            [.. json.GetProperty("values"u8).EnumerateArray().Select(object? (value) => value.ValueKind switch
            {
                JsonValueKind.Object => Read(value, inside - 1),
                JsonValueKind.Number => value.GetInt64(),
                _ => value.GetString(),
            })],
            isVerbatim: false);
}
