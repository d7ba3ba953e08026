using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Appliance.Health;

/// <summary>
/// <c>box.health</c>, for the owner's tools: looks at everything that must hold and tells what it found. A method of PiPub's own
/// (async, no arguments); it answers <c>{"healthy":true,"checks":[{"name":"page","good":true,"words":"..."}]}</c>.
/// </summary>
public static class HealthMethods
{
    /// <summary>The method's name.</summary>
    public const string Health = "box.health";

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Offers the method.</summary>
    public static void Register(RpcMethods methods, BoxHealth health)
    {
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(health);
        methods.Async(Health, RpcCallers.Owner, async (_, stop) => RpcBody.Json(Json(await health.CheckAsync(stop))));
    }

    /// <summary>The answer for a box that does not even answer.</summary>
    /// <param name="words">Why.</param>
    public static JsonElement NotThere(string words) => JsonElement.Parse(Json([new HealthFinding("node", false, words)]).Span);

    private static ReadOnlyMemory<byte> Json(IReadOnlyList<HealthFinding> findings)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteBoolean("healthy"u8, findings.All(static finding => finding.IsGood));
            json.WriteStartArray("checks"u8);
            foreach (var finding in findings)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, finding.Name);
                json.WriteBoolean("good"u8, finding.IsGood);
                json.WriteString("words"u8, finding.Words);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
