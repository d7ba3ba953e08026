using System.Text.Json;

namespace PiPub.Storage.Verification;

/// <summary>A report as JSON, for the wire and for programs.</summary>
public static class StoreReportJson
{
    /// <summary>Writes the report as an object.</summary>
    public static void Write(Utf8JsonWriter json, StoreReport report)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(report);
        json.WriteStartObject();
        json.WriteBoolean("clean"u8, report.IsClean);
        json.WriteNumber("messages"u8, report.Messages);
        json.WriteNumber("feeds"u8, report.Feeds);
        json.WriteNumber("logBytes"u8, report.LogBytes);
        json.WriteNumber("tornBytes"u8, report.TornBytes);
        json.WriteNumber("blobs"u8, report.Blobs);
        json.WriteNumber("blobBytes"u8, report.BlobBytes);
        json.WriteNumber("damageCount"u8, report.DamageCount);
        json.WriteStartArray("damages"u8);
        foreach (var damage in report.Damages)
        {
            json.WriteStartObject();
            json.WriteString("where"u8, damage.Where);
            json.WriteString("what"u8, damage.What);
            json.WriteString("wayOut"u8, damage.WayOut);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
