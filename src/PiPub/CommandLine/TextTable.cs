using System.Text;

namespace PiPub.CommandLine;

/// <summary>Columns for people: as wide as their widest cell, two spaces apart, the last one ragged.</summary>
internal sealed class TextTable(params string[] head)
{
    private readonly List<string[]> _rows = [head];

    public int Count => _rows.Count - 1;

    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var row in _rows)
        {
            for (var column = 0; column < row.Length - 1; column++)
            {
                text.Append(row[column].PadRight(_rows.Max(cells => cells[column].Length) + 2));
            }

            text.Append(row[^1]).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
