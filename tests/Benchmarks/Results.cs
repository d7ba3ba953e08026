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

/// <summary>The table that a run ends with, on the terminal and in RESULTS.md.</summary>
internal sealed class Results
{
    private readonly List<Row> rows = [];
    private readonly List<string> notes = [];

    public void Add(Row row)
    {
        rows.Add(row);
        Console.WriteLine($"  {row.What}: {row.Figure}; {row.BesideIt}; {row.Ratio}");
    }

    public void Note(string note) => notes.Add(note);

    public string ToMarkdown(string machine, DateOnly day)
    {
        var text = new StringBuilder();
        text.Append("# How fast, how big\n\nMade by `make bench`. Compare ratios, not figures: both sides of a ratio were measured in this run, on this machine.\n\n");
        text.Append($"{day:yyyy-MM-dd}, {machine}\n\n");
        text.Append("| measured | PiPub | beside it | ratio | aim | met |\n|---|---|---|---|---|---|\n");
        foreach (var row in rows)
            text.Append($"| {row.What} | {row.Figure} | {row.BesideIt} | {row.Ratio} | {row.Aim} | {row.Met switch { true => "yes", false => "**no**", null => "" }} |\n");
        if (notes.Count > 0)
            text.Append('\n');
        foreach (var note in notes)
            text.Append($"- {note}\n");
        return text.ToString();
    }
}
