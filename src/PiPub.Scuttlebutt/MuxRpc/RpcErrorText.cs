using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// Errors as they cross the wire: <c>{"message":"...","name":"Error","stack":""}</c>, keys in this order. The stack is
/// always empty: it would tell a stranger paths.
/// </summary>
/// <remarks>Source: packet-stream 2.0.6 utils.js (flat).</remarks>
internal static class RpcErrorText
{
    private const int LongestMessage = 2048;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What an orderly end carries.</summary>
    public static ReadOnlySpan<byte> OrderlyEnd => "true"u8;

    /// <summary>Encodes an error.</summary>
    public static byte[] Encode(string message)
    {
        var bytes = new ArrayBufferWriter<byte>(message.Length + 64);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("message"u8, message);
            json.WriteString("name"u8, "Error"u8);
            json.WriteString("stack"u8, ""u8);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads the body of an end frame: null when the end is orderly.</summary>
    public static RpcException? DecodeEnd(BodyType type, byte[] body) =>
        type == BodyType.Json && body.AsSpan().SequenceEqual(OrderlyEnd) ? null : DecodeError(type, body);

    /// <summary>Reads an error object, as leniently as the field writes them.</summary>
    public static RpcException DecodeError(BodyType type, byte[] body)
    {
        var text = type switch
        {
            BodyType.Json => JsonMessage(body),
            BodyType.Utf8 => Encoding.UTF8.GetString(body),
            _ => "the peer ended the call with an error that is no text",
        };
        return new RpcException(text.Length > LongestMessage ? text[..LongestMessage] : text);
    }

    private static string JsonMessage(byte[] body)
    {
        try
        {
            var json = JsonElement.Parse(body);
            return json.ValueKind switch
            {
                JsonValueKind.Object when json.TryGetProperty("message"u8, out var message) && message.ValueKind == JsonValueKind.String => message.GetString()!,
                JsonValueKind.String => json.GetString()!,
                JsonValueKind.True => "unexpected end of parent stream",
                _ => json.GetRawText(),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return "the peer ended the call with an error that cannot be read";
        }
    }
}
