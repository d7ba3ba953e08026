using System.Buffers;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Backups;

/// <summary>Whose backup it is and how it was made.</summary>
/// <param name="Box">The box's own identity.</param>
/// <param name="Name">What the box was called; empty when it had no name.</param>
/// <param name="Owner">Whose box it was; null when it had no owner.</param>
/// <param name="Sequence">How far the box's own feed had got.</param>
/// <param name="Made">When.</param>
/// <param name="Version">By which version of the program.</param>
public sealed record BackupAbout(FeedId Box, string Name, FeedId? Owner, int Sequence, DateTimeOffset Made, string Version)
{
    internal ReadOnlyMemory<byte> Encode()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("box"u8, Box.ToString());
            json.WriteString("name"u8, Name);
            if (Owner is { } owner)
            {
                json.WriteString("owner"u8, owner.ToString());
            }

            json.WriteNumber("sequence"u8, Sequence);
            json.WriteNumber("made"u8, Made.ToUnixTimeMilliseconds());
            json.WriteString("version"u8, Version);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <exception cref="BackupException">It is not one.</exception>
    internal static BackupAbout Decode(ReadOnlyMemory<byte> body)
    {
        try
        {
            var json = JsonElement.Parse(body.Span);
            return new BackupAbout(
                FeedId.Parse(json.GetProperty("box"u8).GetString()!),
                json.GetProperty("name"u8).GetString()!,
                json.TryGetProperty("owner"u8, out var owner) ? FeedId.Parse(owner.GetString()!) : null,
                json.GetProperty("sequence"u8).GetInt32(),
                DateTimeOffset.FromUnixTimeMilliseconds(json.GetProperty("made"u8).GetInt64()),
                json.GetProperty("version"u8).GetString()!);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new BackupException(BackupProblem.Damaged, e);
        }
    }
}
