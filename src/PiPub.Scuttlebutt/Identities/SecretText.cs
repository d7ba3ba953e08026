using System.Text;
using System.Text.Json;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// The text of a <c>secret</c> file: the key pair of an identity in the form that every SSB program reads.
/// </summary>
/// <remarks>
/// Sources: ssb-keys 8.5.0, storage.js; SSB protocol guide, Keys and identities. What follows a <c>#</c> is a comment; the rest
/// is one JSON object: curve "ed25519"; public, base64 of 32 bytes and ".ed25519"; private, base64 of 64 bytes (seed and public
/// key) and ".ed25519"; id, "@" and public. Very old files hold nothing but the private key's text.
/// </remarks>
public static class SecretText
{
    private const string Suffix = ".ed25519";

    /// <summary>Writes the text as ssb-keys does, to the byte. It has no line end at its end.</summary>
    public static string Format(KeyPair keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var @public = keys.Id.ToString()[1..];
        return $$"""
            # WARNING: Never show this to anyone.
            # WARNING: Never edit it or use it on multiple devices at once.
            #
            # This is your SECRET, it gives you magical powers. With your secret you can
            # sign your messages so that your friends can verify that the messages came
            # from you. If anyone learns your secret, they can use it to impersonate you.
            #
            # If you use this secret on more than one device you will create a fork and
            # your friends will stop replicating your content.
            #
            {
              "curve": "ed25519",
              "public": "{{@public}}",
              "private": "{{Convert.ToBase64String(keys.SecretKey)}}{{Suffix}}",
              "id": "{{keys.Id}}"
            }
            #
            # The only part of this file that's safe to share is your public name:
            #
            #   {{keys.Id}}
            """;
    }

    /// <summary>Reads the text of a file in the present form or an old one.</summary>
    /// <exception cref="FormatException">It holds no Ed25519 key pair, or one whose parts contradict each other; the message says which.</exception>
    public static KeyPair Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var secret = WithoutComments(text);
        if (secret.Length == 0)
        {
            throw new FormatException("There is no key in it, only comments.");
        }

        if (secret[0] != '{')
        {
            return FromPrivate(secret.Trim('"'));
        }

        JsonElement json;
        try
        {
            json = JsonElement.Parse(secret);
        }
        catch (JsonException e)
        {
            throw new FormatException("What stands between its comments is not JSON.", e);
        }

        if (Text(json, "curve") is { } curve && curve != "ed25519")
        {
            throw new FormatException($"Its curve is \"{curve}\"; only ed25519 can be used.");
        }

        var keys = FromPrivate(Text(json, "private") ?? throw new FormatException("It has no \"private\" key."));
        if (Text(json, "public") is { } @public && "@" + @public != keys.Id.ToString())
        {
            throw new FormatException("Its \"public\" key does not belong to its \"private\" key. Has it been edited?");
        }

        if (Text(json, "id") is ['@', ..] id && id != keys.Id.ToString())
        {
            throw new FormatException("Its \"id\" does not belong to its \"private\" key. Has it been edited?");
        }

        return keys;
    }

    private static string? Text(JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"Its \"{name}\" holds half a character.", e);
        }
    }

    private static KeyPair FromPrivate(string text)
    {
        Span<byte> secret = stackalloc byte[64];
        if (!text.EndsWith(Suffix, StringComparison.Ordinal)
            || !Convert.TryFromBase64String(text[..^Suffix.Length], secret, out var length)
            || length != secret.Length)
        {
            throw new FormatException($"Its private key is not 64 bytes of base64 followed by {Suffix}.");
        }

        var keys = KeyPair.FromSeed(secret[..32]);
        return keys.SecretKey.SequenceEqual(secret)
            ? keys
            : throw new FormatException("The two halves of its private key do not belong together. Has it been edited?");
    }

    /// <summary>The lines without what follows a #, joined: neither base64 nor the JSON around it has one.</summary>
    private static string WithoutComments(string text)
    {
        var secret = new StringBuilder(text.Length);
        foreach (var line in text.TrimStart('\uFEFF').AsSpan().EnumerateLines())
        {
            var comment = line.IndexOf('#');
            secret.Append((comment < 0 ? line : line[..comment]).Trim());
        }

        return secret.ToString();
    }
}
