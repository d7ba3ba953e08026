using System.CommandLine;
using System.Text.Json.Nodes;
using PiPub.Composition;
using PiPub.Configuration;
using PiPub.Node.Backups;
using PiPub.Node.Identity;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.Disk;
using PiPub.Storage.State;

namespace PiPub.CommandLine;

/// <summary><c>pipub backup create</c>, <c>check</c>, <c>restore</c>, <c>passphrase</c> and <c>words</c>.</summary>
internal static class BackupCommands
{
    private const int MaxWords = 16 * 1024;

    public static Command Create() => new("backup", "Keep the box's key, settings and members in one encrypted file, and put them back.")
    {
        CreateBackup(),
        Check(),
        Restore(),
        SetPassphrase(),
        Words(),
    };

    private static Command CreateBackup()
    {
        var file = new Argument<string>("file") { Description = "The file to write; it must not be there yet." };
        var command = new Command("create", "Write a backup, whether the node runs or not.") { file, Passphrase.File };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = SharedOptions.Read(parsed);
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            if (File.Exists(path))
            {
                throw new CommandFailedException($"{path} is there already. Give the backup another name.");
            }

            var passphrase = Passphrase.ReadNew(parsed);
            await BackupSchedule.WriteFileAsync(path, output => WriteAsync(options, passphrase, output, cancellationToken));
            var bytes = new FileInfo(path).Length;
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json)
                ? JsonText.Of(new JsonObject { ["file"] = path, ["bytes"] = bytes })
                : $"{path} is written ({bytes} bytes). Whoever loses its passphrase loses the backup: nobody can recover it.");
        });
        return command;
    }

    private static Command Check()
    {
        var file = FileArgument();
        var command = new Command("check", "Read a backup wholly and say what is in it, without putting it back.") { file, Passphrase.File };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var input = parsed.GetRequiredValue(file).OpenRead();
            Print(parsed, await BackupReader.CheckAsync(input, Passphrase.Read(parsed), cancellationToken), "The backup is whole.");
        });
        return command;
    }

    private static Command Restore()
    {
        var file = FileArgument();
        file.Arity = ArgumentArity.ZeroOrOne;
        var words = new Option<FileInfo?>("--words-file")
        {
            Description = "Take the 24 recovery words in this file instead of a backup. They give the key alone; the box's feed comes from peers.",
            HelpName = "file",
        };
        var isGone = new Option<bool>("--old-box-is-gone")
        {
            Description = "Says that the box which the backup was made of will never run again. If both did, they would split its feed in two, which nobody can mend.",
        };
        var command = new Command("restore", "Put a backup back into an empty data directory. On a box that is in use, do so on its page.") { file, words, isGone, Passphrase.File };
        command.Validators.Add(result =>
        {
            if (result.GetValue(file) is null == result.GetValue(words) is null)
            {
                result.AddError("Give either a backup or --words-file.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = SharedOptions.Read(parsed);
            if (!parsed.GetValue(isGone))
            {
                throw new CommandFailedException("The box that this backup was made of must never run again: two boxes with one key split its feed in two, which nobody can mend. If it is gone for good, add --old-box-is-gone.");
            }

            if (SecretFile.Exists(options.DataDirectory))
            {
                throw new CommandFailedException($"{options.DataDirectory} holds a box already. Give --data-directory an empty one, or put the backup back on that box's page.");
            }

            var keys = parsed.GetValue(words) is { } paper ? await ReadWordsAsync(paper, cancellationToken) : null;
            await using var input = parsed.GetValue(file)?.OpenRead();
            var passphrase = input is null ? "" : Passphrase.Read(parsed);
            using var data = DataDirectory.Open(options.DataDirectory, reserveBytes: 0);
            using var restore = new BackupRestore(BoxBackups.PlaceOf(options, () => data.FreeBytes, machine: null, static _ => 0), TimeProvider.System);
            var summary = keys is null ? await restore.PrepareAsync(input!, passphrase, cancellationToken) : await restore.PrepareAsync(keys, cancellationToken);
            restore.Commit();
            _ = DataReplacement.Complete(data, configurationFile: options.ConfigurationFile);
            Print(parsed, summary, "The backup is put back. Start the box with: pipub run\nIt publishes nothing until peers have told how far its feed has got.");
        });
        return command;
    }

    private static Command Words()
    {
        var command = new Command("words", "Print the 24 recovery words of the box's key. Whoever has them can be the box.");
        command.SetAction((parsed, _) =>
        {
            var options = SharedOptions.Read(parsed);
            if (!SecretFile.Exists(options.DataDirectory))
            {
                throw new CommandFailedException($"There is no box in {options.DataDirectory}. Name its data directory with --data-directory.");
            }

            var words = string.Join(' ', RecoveryWords.Of(SecretFile.ReadOrCreate(options.DataDirectory, out var _)));
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json) ? JsonText.Of(new JsonObject { ["words"] = words }) : words);
            return Task.CompletedTask;
        });
        return command;
    }

    private static async Task<KeyPair> ReadWordsAsync(FileInfo paper, CancellationToken cancellationToken)
    {
        try
        {
            return RecoveryWords.Parse(paper.Length <= MaxWords ? await File.ReadAllTextAsync(paper.FullName, cancellationToken) : "");
        }
        catch (FormatException e)
        {
            throw new CommandFailedException($"These are not the recovery words of a box. {e.Message}", e);
        }
    }

    private static Command SetPassphrase()
    {
        var command = new Command("passphrase", "Set the passphrase of scheduled backups (backup-directory).") { Passphrase.File };
        command.SetAction((parsed, _) =>
        {
            var options = SharedOptions.Read(parsed);
            if (!Directory.Exists(options.DataDirectory))
            {
                throw new CommandFailedException($"There is no data directory {options.DataDirectory}.");
            }

            BackupKey.Create(Passphrase.ReadNew(parsed)).Save(options.DataDirectory);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json)
                ? JsonText.Of(new JsonObject { ["scheduled"] = options.BackupDirectory })
                : options.BackupDirectory is { } directory
                    ? $"From now on backups in {directory} have this passphrase. Whoever loses it loses them: nobody can recover it."
                    : "It is kept. To have backups made, set backup-directory.");
            return Task.CompletedTask;
        });
        return command;
    }

    /// <summary>By the running node if there is one, which knows the latest; else by this process.</summary>
    private static async Task WriteAsync(PiPubOptions options, string passphrase, Stream output, CancellationToken cancellationToken)
    {
        if (await LocalNode.TryConnectAsync(options.DataDirectory, cancellationToken) is { } node)
        {
            await using (node)
            {
                var stream = node.Open("backup.create", CallType.Source, JsonText.Arguments(new JsonObject { ["passphrase"] = passphrase }));
                while (await stream.ReadAsync(cancellationToken) is { } piece)
                {
                    await output.WriteAsync(piece.Bytes, cancellationToken);
                }

                stream.Complete();
            }

            return;
        }

        if (!SecretFile.Exists(options.DataDirectory))
        {
            throw new CommandFailedException($"There is no box in {options.DataDirectory}. Name its data directory with --data-directory.");
        }

        await using var storage = await BoxStorage.OpenAsync(options);
        var owner = new OwnerTable(storage.State);
        using var maker = new BackupMaker(BoxBackups.SourceOf(options, storage, () => owner.Owner, TimeProvider.System), TimeProvider.System);
        _ = await maker.WriteAsync(output, BackupKey.Create(passphrase), cancellationToken);
    }

    private static void Print(ParseResult parsed, BackupSummary backup, string words)
    {
        var about = backup.About;
        parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json)
            ? JsonText.Of(new JsonObject
            {
                ["id"] = about.Box.ToString(),
                ["name"] = about.Name,
                ["owner"] = about.Owner?.ToString(),
                ["made"] = about.Made.ToUnixTimeMilliseconds(),
                ["version"] = about.Version,
                ["sequence"] = about.Sequence,
                ["messages"] = backup.Messages,
                ["blobs"] = backup.Blobs,
                ["invites"] = backup.Invites,
            })
            : $"""
                {words}
                  box       {about.Box}{(about.Name.Length > 0 ? $" ({about.Name})" : "")}
                  owner     {about.Owner?.ToString() ?? "nobody yet"}
                  made      {about.Made.UtcDateTime:yyyy-MM-dd HH:mm} UTC by PiPub {about.Version}
                  messages  {backup.Messages}, {about.Sequence} of them the box's own
                  blobs     {backup.Blobs}
                  invites   {backup.Invites}
                """);
    }

    private static Argument<FileInfo> FileArgument() => new Argument<FileInfo>("file") { Description = "The backup." }.AcceptExistingOnly();
}
