using System.Buffers;
using System.Buffers.Text;
using System.Text;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Queries;

/// <summary>
/// Messages in the forms that the streams send: whole (<c>{"key", "value", "timestamp"}</c>), the key alone (text), or
/// the value alone, which is copied as it was signed. Source: ssb-db 20.4.1 util.js, Format.
/// </summary>
public static class MessageJson
{
    /// <summary>The marker between a stream's old and its live messages.</summary>
    public static RpcBody Sync { get; } = RpcBody.Json("""{"sync":true}""");

    /// <summary>A message as <paramref name="keys"/> and <paramref name="values"/> ask for it.</summary>
    /// <param name="record">The message.</param>
    /// <param name="keys">Send the key.</param>
    /// <param name="values">Send the value.</param>
    /// <param name="resolvedTimestamp">When given, sent as <c>rts</c> with a whole message.</param>
    public static RpcBody Format(LogRecord record, bool keys = true, bool values = true, double? resolvedTimestamp = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        return (keys, values) switch
        {
            (true, true) => Whole(record, resolvedTimestamp),
            (true, false) => new RpcBody(BodyType.Utf8, Key(record.Message.Id)),
            _ => RpcBody.Json(record.Message.Value),
        };
    }

    private static RpcBody Whole(LogRecord record, double? resolvedTimestamp)
    {
        var buffer = new ArrayBufferWriter<byte>(record.Message.Value.Length + 160);
        buffer.Write("{\"key\":\""u8);
        buffer.Advance(record.Message.Id.Format(buffer.GetSpan(MessageId.TextLength)));
        buffer.Write("\",\"value\":"u8);
        buffer.Write(record.Message.Value.Span);
        buffer.Write(",\"timestamp\":"u8);
        Utf8Formatter.TryFormat(record.ReceivedAt, buffer.GetSpan(20), out var written);
        buffer.Advance(written);
        if (resolvedTimestamp is { } rts)
        {
            buffer.Write(",\"rts\":"u8);
            buffer.Write(Encoding.ASCII.GetBytes(rts.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
        }

        buffer.Write("}"u8);
        return RpcBody.Json(buffer.WrittenMemory);
    }

    private static byte[] Key(MessageId id)
    {
        var text = new byte[MessageId.TextLength];
        id.Format(text);
        return text;
    }
}
