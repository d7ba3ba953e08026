using System.Buffers.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Log;

/// <summary>
/// The fields that a classic value itself begins with, so that a record need not repeat them.
/// </summary>
/// <remarks>
/// Source: SSB protocol guide, Message format. Only the compact form with <c>previous</c>, <c>author</c> and
/// <c>sequence</c> (in either order) and <c>timestamp</c> first is read; anything else is stored with its fields spelt out.
/// </remarks>
internal readonly record struct ClassicEnvelope(MessageId Previous, FeedId Author, int Sequence, double Timestamp)
{
    private const int QuotedMessageId = MessageId.TextLength + 2;
    private const int QuotedFeedId = FeedId.TextLength + 2;

    public static bool TryRead(ReadOnlySpan<byte> value, out ClassicEnvelope envelope)
    {
        envelope = default;
        MessageId previous = default;
        FeedId author;
        int sequence;
        if (!Skip(ref value, "{\"previous\":"u8))
        {
            return false;
        }

        if (!Skip(ref value, "null"u8))
        {
            if (value.Length < QuotedMessageId || !MessageId.TryParse(value[1..(QuotedMessageId - 1)], out previous))
            {
                return false;
            }

            value = value[QuotedMessageId..];
        }

        if (Skip(ref value, ",\"author\":"u8))
        {
            if (!ReadAuthor(ref value, out author) || !Skip(ref value, ",\"sequence\":"u8) || !ReadSequence(ref value, out sequence))
            {
                return false;
            }
        }
        else if (!Skip(ref value, ",\"sequence\":"u8) || !ReadSequence(ref value, out sequence)
            || !Skip(ref value, ",\"author\":"u8) || !ReadAuthor(ref value, out author))
        {
            return false;
        }

        if (!Skip(ref value, ",\"timestamp\":"u8) || !Utf8Parser.TryParse(value, out double timestamp, out _))
        {
            return false;
        }

        envelope = new ClassicEnvelope(previous, author, sequence, timestamp);
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> value, ReadOnlySpan<byte> expected)
    {
        if (!value.StartsWith(expected))
        {
            return false;
        }

        value = value[expected.Length..];
        return true;
    }

    private static bool ReadAuthor(ref ReadOnlySpan<byte> value, out FeedId author)
    {
        author = default;
        if (value.Length < QuotedFeedId || !FeedId.TryParse(value[1..(QuotedFeedId - 1)], out author))
        {
            return false;
        }

        value = value[QuotedFeedId..];
        return true;
    }

    private static bool ReadSequence(ref ReadOnlySpan<byte> value, out int sequence)
    {
        var ok = Utf8Parser.TryParse(value, out sequence, out var length);
        value = value[length..];
        return ok;
    }
}
