using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PiPub.CommandLine;

/// <summary>How the command line writes JSON: one line, ids keep their <c>+</c> and words their accents.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonNode node) => Encoding.UTF8.GetString(Utf8(node));

    public static ReadOnlyMemory<byte> Arguments(params JsonNode?[] arguments) => Utf8(new JsonArray(arguments)).ToArray();

    private static ReadOnlySpan<byte> Utf8(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan;
    }
}
