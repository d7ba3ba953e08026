using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// The body that opens a call: <c>{"name":["blobs","get"],"args":[...],"type":"source"}</c>. Async calls carry no type.
/// </summary>
/// <remarks>Source: muxrpc 8.0.0 stream.js. Read leniently: a name may be one string, args may be null or missing (Go).</remarks>
internal readonly record struct RequestBody(string Method, JsonElement Args, string? Type, bool HasArgsArray)
{
    private static readonly JsonElement NoArgs = JsonElement.Parse("[]"u8);

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Encodes a request.</summary>
    /// <exception cref="JsonException">The arguments are not JSON.</exception>
    public static ReadOnlyMemory<byte> Encode(string method, CallType type, ReadOnlySpan<byte> args)
    {
        var bytes = new ArrayBufferWriter<byte>(method.Length + args.Length + 64);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteStartArray("name"u8);
            foreach (var part in method.AsSpan().Split('.'))
            {
                json.WriteStringValue(method.AsSpan()[part]);
            }

            json.WriteEndArray();
            json.WritePropertyName("args"u8);
            json.WriteRawValue(args.IsEmpty ? "[]"u8 : args);
            if (type != CallType.Async)
            {
                json.WriteString("type"u8, NameOf(type));
            }

            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    /// <summary>
    /// Reads a request; false when the JSON is not one (late data of a stream that has ended looks like this).
    /// </summary>
    /// <exception cref="JsonException">The bytes are not JSON.</exception>
    public static bool TryDecode(ReadOnlySpan<byte> body, int longestName, out RequestBody request)
    {
        try
        {
            return TryDecode(JsonElement.Parse(body), longestName, out request);
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("The request holds text that is not Unicode.", e);
        }
    }

    /// <summary>The word for a type of call on the wire and in a manifest.</summary>
    public static string NameOf(CallType type) => type switch
    {
        CallType.Source => "source",
        CallType.Sink => "sink",
        CallType.Duplex => "duplex",
        _ => "async",
    };

    private static bool TryDecode(JsonElement json, int longestName, out RequestBody request)
    {
        request = default;
        if (json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("name"u8, out var name)
            || MethodName(name, longestName) is not { } method)
        {
            return false;
        }

        var isArray = true;
        if (!json.TryGetProperty("args"u8, out var args) || args.ValueKind == JsonValueKind.Null)
        {
            args = NoArgs;
        }
        else if (args.ValueKind != JsonValueKind.Array)
        {
            isArray = false;
        }

        var type = json.TryGetProperty("type"u8, out var t) && t.ValueKind == JsonValueKind.String ? t.GetString() : null;
        request = new RequestBody(method, args, type, isArray);
        return true;
    }

    private static string? MethodName(JsonElement name, int longest)
    {
        if (name.ValueKind == JsonValueKind.String)
        {
            return name.GetString() is { Length: > 0 } text && text.Length <= longest ? text : null;
        }

        if (name.ValueKind != JsonValueKind.Array || name.GetArrayLength() is 0 or > 8)
        {
            return null;
        }

        var joined = "";
        foreach (var part in name.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.String)
            {
                return null;
            }

            joined = joined.Length == 0 ? part.GetString()! : joined + "." + part.GetString();
            if (joined.Length > longest)
            {
                return null;
            }
        }

        return joined;
    }
}
