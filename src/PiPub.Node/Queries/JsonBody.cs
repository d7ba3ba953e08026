using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Queries;

/// <summary>Answers in JSON, written as JavaScript would: a <c>+</c> in an id stays a <c>+</c>.</summary>
internal static class JsonBody
{
    private static readonly JsonWriterOptions AsJavaScript = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static RpcBody Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, AsJavaScript))
        {
            write(json, state);
        }

        return RpcBody.Json(buffer.WrittenMemory);
    }

    /// <summary>An object whose members <paramref name="write"/> adds.</summary>
    public static RpcBody Object<T>(T state, Action<Utf8JsonWriter, T> write) => Write((state, write), static (json, given) =>
    {
        json.WriteStartObject();
        given.write(json, given.state);
        json.WriteEndObject();
    });
}
