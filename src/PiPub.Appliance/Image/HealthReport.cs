using System.Text.Json;

namespace PiPub.Appliance.Image;

/// <summary>What the image noted down when the box was not well after a start: why it went back to the version before.</summary>
/// <param name="Version">The version that was not well.</param>
/// <param name="Words">What was found, for a person.</param>
/// <remarks>The file is <c>health.json</c>: <c>{"version":"1.2.0","passed":false,"health":{the answer of pipub health --json, or its words as a text}}</c>.</remarks>
public sealed record HealthReport(string Version, string Words)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "health.json";

    private const int MaxBytes = 64 * 1024;
    private const int MaxWords = 600;

    /// <summary>Reads it; null where there is none, where all was well, and where it cannot be read.</summary>
    /// <param name="directory">Where it is.</param>
    public static HealthReport? Read(string? directory)
    {
        try
        {
            var file = new FileInfo(Path.Combine(directory ?? "/nonexistent", FileName));
            if (directory is null || !file.Exists || file.Length > MaxBytes)
            {
                return null;
            }

            var report = JsonElement.Parse(File.ReadAllBytes(file.FullName));
            if (report.TryGetProperty("passed"u8, out var passed) && passed.ValueKind == JsonValueKind.True)
            {
                return null;
            }

            var words = WordsOf(report.GetProperty("health"u8));
            return new HealthReport(report.GetProperty("version"u8).GetString() ?? "", words.Length > MaxWords ? words[..MaxWords] : words);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string WordsOf(JsonElement health) => health.ValueKind switch
    {
        JsonValueKind.String => health.GetString()!,
        JsonValueKind.Object when health.TryGetProperty("checks"u8, out var checks) => string.Join(' ', checks.EnumerateArray()
            .Where(static check => check.GetProperty("good"u8).ValueKind != JsonValueKind.True)
            .Select(static check => check.GetProperty("words"u8).GetString())),
        _ => "It did not answer at all.",
    };
}
