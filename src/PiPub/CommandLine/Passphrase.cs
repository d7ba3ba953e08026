using System.CommandLine;
using System.Text;
using PiPub.Node.Backups;

namespace PiPub.CommandLine;

/// <summary>
/// How a command gets a passphrase: from a file, from standard input, or typed without being shown. Never as an argument, which
/// every user of the machine could read.
/// </summary>
internal static class Passphrase
{
    public static Option<FileInfo?> File { get; } = new("--passphrase-file")
    {
        Description = "Read the passphrase from the first line of this file. Else it is asked for, or read from standard input.",
        HelpName = "file",
    };

    /// <summary>Reads the passphrase of a backup that exists.</summary>
    public static string Read(ParseResult parsed)
    {
        if (parsed.GetValue(File) is { } file)
        {
            using var reader = new StreamReader(file.FullName, Encoding.UTF8);
            return Line(reader);
        }

        if (Console.IsInputRedirected)
        {
            return Line(Console.In);
        }

        return Ask("Passphrase: ");
    }

    /// <summary>Reads a passphrase for new backups: long enough, and typed twice.</summary>
    /// <exception cref="CommandFailedException">It is too short, or the two differ.</exception>
    public static string ReadNew(ParseResult parsed)
    {
        var passphrase = Read(parsed);
        if (passphrase.Length is < BackupKey.MinPassphrase or > BackupKey.MaxPassphrase)
        {
            throw new CommandFailedException($"The passphrase must have {BackupKey.MinPassphrase} characters or more. A few words in a row are easy to keep in mind; nobody can recover it.");
        }

        if (parsed.GetValue(File) is null && !Console.IsInputRedirected && Ask("The same again: ") != passphrase)
        {
            throw new CommandFailedException("The two passphrases are not the same.");
        }

        return passphrase;
    }

    private static string Line(TextReader reader) => reader.ReadLine() ?? "";

    private static string Ask(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (key.KeyChar != '\0')
            {
                typed.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
