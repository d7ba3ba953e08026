using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Node.Sentences;

namespace PiPub.Appliance.Provisioning;

/// <summary>What became of a file on the card.</summary>
public enum CardFileState
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>It holds from now on.</summary>
    Applied,

    /// <summary>It is as it was at the last start.</summary>
    Unchanged,

    /// <summary>It cannot be used, and nothing of it was.</summary>
    Wrong,
}

/// <summary>Something that is wrong with a file on the card.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Line">Where, from 1; null where it is no single line.</param>
/// <param name="What">What is wrong, for a person.</param>
/// <param name="ToDo">What would help; null where the first says it.</param>
public sealed record CardProblem(string File, int? Line, Sentence What, Sentence? ToDo = null)
{
    /// <summary>All of it in a sentence or two.</summary>
    public Sentence Said => (Line, ToDo) switch
    {
        ({ } line, { } help) => Sentence.Of($"The file {File} on the card, line {line}: {What} {help}"),
        ({ } line, null) => Sentence.Of($"The file {File} on the card, line {line}: {What}"),
        (null, { } help) => Sentence.Of($"The file {File} on the card: {What} {help}"),
        _ => Sentence.Of($"The file {File} on the card: {What}"),
    };
}

/// <summary>What was done with the files that the owner wrote on the card, at this start of the machine.</summary>
/// <param name="At">When; by a clock that may not be set yet.</param>
/// <param name="Files">What became of each.</param>
/// <param name="Problems">What is wrong.</param>
public sealed record ProvisioningReport(DateTimeOffset At, IReadOnlyList<(string Name, CardFileState State)> Files, IReadOnlyList<CardProblem> Problems)
{
    /// <summary>The report's name.</summary>
    public const string FileName = "provisioning.json";

    private const int MaxBytes = 256 * 1024;
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };

    /// <summary>
    /// The report as JSON in UTF-8: <c>{"at":...,"files":[{"name","state"}],"problems":[{"file","line","what","todo"}]}</c>, and in
    /// <c>said</c> of each problem both sentences with their values apart, for the pages' other languages.
    /// </summary>
    public ReadOnlyMemory<byte> ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("at"u8, At.UtcDateTime);
            json.WriteStartArray("files"u8);
            foreach (var (name, state) in Files)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, name);
                json.WriteString("state"u8, state.ToString().ToLowerInvariant());
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("problems"u8);
            foreach (var problem in Problems)
            {
                json.WriteStartObject();
                json.WriteString("file"u8, problem.File);
                if (problem.Line is { } line)
                {
                    json.WriteNumber("line"u8, line);
                }

                json.WriteString("what"u8, problem.What.ToString());
                json.WriteString("todo"u8, problem.ToDo?.ToString() ?? "");
                json.WriteStartArray("said"u8);
                problem.What.WriteTo(json);
                problem.ToDo?.WriteTo(json);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>The problems of the last report; none where there is no report, or one that cannot be read.</summary>
    /// <param name="directory">Where the report is.</param>
    public static IReadOnlyList<CardProblem> ReadProblems(string directory)
    {
        try
        {
            var file = new FileInfo(Path.Combine(directory, FileName));
            if (!file.Exists || file.Length > MaxBytes)
            {
                return [];
            }

            var report = JsonElement.Parse(File.ReadAllBytes(file.FullName));
            return [.. report.GetProperty("problems"u8).EnumerateArray().Select(static problem => new CardProblem(
                problem.GetProperty("file"u8).GetString() ?? "",
                problem.TryGetProperty("line"u8, out var line) ? line.GetInt32() : null,
                Sentence.Read(problem.GetProperty("said"u8)[0]),
                problem.GetProperty("said"u8).GetArrayLength() > 1 ? Sentence.Read(problem.GetProperty("said"u8)[1]) : null))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException)
        {
            return [];
        }
    }
}
