using System.Globalization;
using System.Text;

namespace PiPub.Benchmarks;

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Figure">What PiPub did, with its unit.</param>
/// <param name="BesideIt">What it is compared with, measured in the same run.</param>
/// <param name="Ratio">The ratio or figure that the aim is about.</param>
/// <param name="Aim">The aim in words.</param>
/// <param name="Met">Whether it is met; null where there is no aim.</param>
internal sealed record Row(string What, string Figure, string BesideIt, string Ratio, string Aim, bool? Met);

/// <summary>
/// The table that a run ends with, on the terminal and in RESULTS.md. Each line names its case and when that was run: a run of some cases
/// replaces theirs and keeps the others', if the file is of this machine.
/// </summary>
/// <param name="machine">Where it is measured.</param>
/// <param name="cases">All cases, in the order of the table.</param>
/// <param name="file">Where the table is kept.</param>
internal sealed class Results(string machine, string[] cases, string file)
{
    private const string End = " |";

    private readonly Dictionary<string, List<string>> rows = Kept(machine, cases, file);
    private string current = "";

    /// <summary>What is added from now on is of a case that is run now.</summary>
    public void Begin(string name)
    {
        current = name;
        rows[name] = [];
    }

    public void Add(Row row)
    {
        var met = row.Met switch { true => "yes", false => "**no**", null => "" };
        rows[current].Add($"| {row.What} | {row.Figure} | {row.BesideIt} | {row.Ratio} | {row.Aim} | {met} | {current} {Now}{End}");
        Console.WriteLine($"  {row.What}: {row.Figure}; {row.BesideIt}; {row.Ratio}");
    }

    public void Note(string note) => rows[current].Add($"- {current}: {note}");

    public async Task<string> WriteAsync()
    {
        var all = cases.SelectMany(name => rows.GetValueOrDefault(name, [])).ToList();
        var text = new StringBuilder();
        text.Append("# How fast, how big\n\nMade by `make bench`. Compare ratios, not figures: both sides of a ratio were measured in one run, on this machine.\n\n");
        text.Append($"{machine}\n\n");
        text.Append("| measured | PiPub | beside it | ratio | aim | met | case and when |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in all.Where(IsRow))
            text.Append(row).Append('\n');
        text.Append('\n');
        foreach (var note in all.Where(static line => !IsRow(line)))
            text.Append(note).Append('\n');
        await File.WriteAllTextAsync(file, text.ToString());
        return text.ToString();
    }

    private static string Now => DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static bool IsRow(string line) => line.StartsWith('|');

    /// <summary>The lines that the file has of each case; none of another machine.</summary>
    private static Dictionary<string, List<string>> Kept(string machine, string[] cases, string file)
    {
        var lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        return !lines.Contains(machine) ? [] : cases.ToDictionary(
            static name => name,
            name => lines.Where(line => IsRow(line)
                ? line.EndsWith(End, StringComparison.Ordinal) && line[..^End.Length].Split(" | ")[^1].StartsWith(name + " 2", StringComparison.Ordinal)
                : line.StartsWith($"- {name}: ", StringComparison.Ordinal)).ToList());
    }
}
