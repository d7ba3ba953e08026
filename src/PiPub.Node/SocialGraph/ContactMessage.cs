using System.Text.Json;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.SocialGraph;

/// <summary>
/// Reads contact messages: <c>{"type":"contact","contact":"@...","following":true}</c> and the like. The last message of
/// an author about a contact stands alone: what it does not say is not so.
/// </summary>
/// <remarks>
/// Blocking when <c>blocking</c> or <c>flagged</c> is truthy as JavaScript has it; else following when <c>following</c>
/// is exactly true; else neutral. Encrypted ones say nothing to us.
/// Source: ssb-friends 5.1.7, db2-contacts.js and contacts.js.
/// </remarks>
public static class ContactMessage
{
    /// <summary>The edge that a message draws; false when it is no contact message.</summary>
    public static bool TryRead(Message message, out ContactEdge edge)
    {
        ArgumentNullException.ThrowIfNull(message);
        edge = default;
        var value = message.Value.Span;
        if (value.IndexOf("\"contact\""u8) < 0)
        {
            return false; // Most messages: one look over the bytes, no parsing. (The value was verified: nothing in it is escaped needlessly.)
        }

        var json = new Utf8JsonReader(value);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isContent = CanonicalName.Is(json, "content"u8);
            _ = json.Read();
            if (isContent)
            {
                return json.TokenType == JsonTokenType.StartObject && TryReadContent(ref json, message.Author, out edge);
            }

            json.Skip();
        }

        return false;
    }

    private static bool TryReadContent(ref Utf8JsonReader json, FeedId author, out ContactEdge edge)
    {
        var (isContact, hasContact, following, blocking, flagged) = (false, false, false, false, false);
        FeedId contact = default;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (CanonicalName.Is(json, "type"u8))
            {
                _ = json.Read();
                isContact = json.TokenType == JsonTokenType.String && CanonicalName.Is(json, "contact"u8);
            }
            else if (CanonicalName.Is(json, "contact"u8))
            {
                _ = json.Read();
                hasContact = json.TokenType == JsonTokenType.String && FeedId.TryParse(json.ValueSpan, out contact);
            }
            else if (CanonicalName.Is(json, "following"u8))
            {
                _ = json.Read();
                following = json.TokenType == JsonTokenType.True;
            }
            else if (CanonicalName.Is(json, "blocking"u8))
            {
                _ = json.Read();
                blocking = IsTruthy(in json);
            }
            else if (CanonicalName.Is(json, "flagged"u8))
            {
                _ = json.Read();
                flagged = IsTruthy(in json);
            }
            else
            {
                _ = json.Read();
            }

            json.Skip();
        }

        var state = blocking || flagged ? ContactState.Blocking : following ? ContactState.Following : ContactState.Neutral;
        edge = new ContactEdge(author, contact, state);
        return isContact && hasContact;
    }

    private static bool IsTruthy(in Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.True or JsonTokenType.StartObject or JsonTokenType.StartArray => true,
        JsonTokenType.String => json.ValueSpan.Length > 0,
        JsonTokenType.Number => json.TryGetDouble(out var number) && number != 0,
        _ => false,
    };
}
