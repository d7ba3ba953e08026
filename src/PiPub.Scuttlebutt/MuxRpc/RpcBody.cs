using System.Text;
using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>What the body of a frame is. Source: packet-stream-codec 1.2.0.</summary>
public enum BodyType : byte
{
    /// <summary>Bytes as they are.</summary>
    Binary = 0,

    /// <summary>UTF-8 text.</summary>
    Utf8 = 1,

    /// <summary>JSON in UTF-8.</summary>
    Json = 2,
}

/// <summary>How a call talks. Sync and async are the same on the wire.</summary>
public enum CallType
{
    /// <summary>One answer.</summary>
    Async,

    /// <summary>The callee sends many items.</summary>
    Source,

    /// <summary>The caller sends many items.</summary>
    Sink,

    /// <summary>Both send many items.</summary>
    Duplex,
}

/// <summary>One item that crossed the wire. The bytes belong to whoever received it; nobody reuses them.</summary>
public readonly record struct RpcBody(BodyType Type, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>A JSON body from text that is JSON already.</summary>
    public static RpcBody Json(string json) => new(BodyType.Json, Encoding.UTF8.GetBytes(json));

    /// <summary>A JSON body from UTF-8 that is JSON already.</summary>
    public static RpcBody Json(ReadOnlyMemory<byte> utf8) => new(BodyType.Json, utf8);

    /// <summary>A binary body. An empty one is never sent: on the wire it would be a goodbye.</summary>
    public static RpcBody Binary(ReadOnlyMemory<byte> bytes) => new(BodyType.Binary, bytes);

    /// <summary>Parses the body as JSON; a UTF-8 body becomes a JSON string.</summary>
    /// <exception cref="JsonException">The bytes are not JSON, or the body is binary.</exception>
    public JsonElement ToJson() => Type switch
    {
        BodyType.Json => JsonElement.Parse(Bytes.Span),
        BodyType.Utf8 => JsonElement.Parse(JsonEncodedText.Encode(Encoding.UTF8.GetString(Bytes.Span)) is var t ? $"\"{t}\"" : ""),
        _ => throw new JsonException("A binary body is not JSON."),
    };
}
