using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PiPub.Appliance.Updates;

/// <summary>What a bundle says about itself, its signature being good.</summary>
/// <param name="Compatible">What it is for.</param>
/// <param name="Version">Its version.</param>
/// <param name="Description">A sentence about it; may be empty.</param>
public sealed record BundleInfo(string Compatible, string Version, string Description);

/// <summary>One of the two places for a system.</summary>
/// <param name="Name">A or B.</param>
/// <param name="IsBooted">Whether the machine runs from it.</param>
/// <param name="IsGood">Whether it is known to be well. Between a start and the health check the running one is not yet.</param>
/// <param name="Version">What was installed there; null when that is not known.</param>
public sealed record SystemSlot(string Name, bool IsBooted, bool IsGood, string? Version);

/// <summary>RAUC, which checks signed bundles and writes them to the other slot: its command line.</summary>
/// <param name="command">The program; the name is looked for in the usual places.</param>
/// <remarks>Reference: rauc(1), 1.13 to 1.15. Answers come as JSON on standard output, words on standard error.</remarks>
public sealed class Rauc(string command = "rauc")
{
    private const int MaxAnswer = 1 << 20;
    private const string Failure = "LastError: ";
    private static readonly TimeSpan QuestionPatience = TimeSpan.FromMinutes(2);

    // Without a byte written for so long, a card is broken.
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(60);

    /// <summary>Reads a bundle's manifest, once its signature is found good.</summary>
    /// <exception cref="BundleRefusedException">It is not good.</exception>
    /// <exception cref="IOException">RAUC is not there.</exception>
    public async Task<BundleInfo> InfoAsync(string bundle, CancellationToken cancellationToken)
    {
        var (code, output, errors) = await RunAsync(["info", "--output-format=json", bundle], QuestionPatience, line: null, cancellationToken);
        if (code != 0)
        {
            throw BundleRefusedException.OfRauc(LastWords(errors));
        }

        try
        {
            var info = JsonElement.Parse(output);
            return new BundleInfo(Text(info, "compatible"), Text(info, "version"), Text(info, "description"));
        }
        catch (JsonException e)
        {
            throw new BundleRefusedException("What RAUC says about it cannot be read.", e);
        }
    }

    /// <summary>The two slots; none where RAUC does not tell.</summary>
    public async Task<IReadOnlyList<SystemSlot>> SlotsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (code, output, _) = await RunAsync(["status", "--detailed", "--output-format=json"], QuestionPatience, line: null, cancellationToken);
            return code == 0 ? ReadSlots(JsonElement.Parse(output)) : [];
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Writes a bundle to the slot that the machine does not run from, which is started next. Can take many minutes.</summary>
    /// <param name="bundle">The file.</param>
    /// <param name="percent">Told how far it has come.</param>
    /// <param name="cancellationToken">Ends the waiting. What RAUC has begun it brings to its end.</param>
    /// <exception cref="BundleRefusedException">It was not installed; the running slot is as it was.</exception>
    /// <exception cref="IOException">RAUC is not there.</exception>
    public async Task InstallAsync(string bundle, IProgress<int> percent, CancellationToken cancellationToken)
    {
        string? failure = null;
        var (code, output, errors) = await RunAsync(
            ["install", bundle],
            InstallPatience,
            line =>
            {
                if (line.StartsWith(Failure, StringComparison.Ordinal))
                {
                    failure = line[Failure.Length..];
                }
                else if (PercentOf(line) is { } now)
                {
                    percent.Report(now);
                }
            },
            cancellationToken);
        if (code != 0)
        {
            throw BundleRefusedException.OfRauc(failure ?? LastWords(errors.Length > 0 ? errors : output));
        }
    }

    /// <summary><c> 40% Checking bundle done.</c></summary>
    private static int? PercentOf(string line)
    {
        var end = line.IndexOf('%', StringComparison.Ordinal);
        return end is > 0 and <= 3 && int.TryParse(line.AsSpan(0, end).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent <= 100 ? percent : null;
    }

    private static List<SystemSlot> ReadSlots(JsonElement status)
    {
        var slots = new List<SystemSlot>();
        foreach (var entry in status.GetProperty("slots"u8).EnumerateArray())
        {
            foreach (var slot in entry.EnumerateObject())
            {
                // Those that are parts of another (kernels) have no name of their own.
                if (Text(slot.Value, "bootname") is { Length: > 0 } name)
                {
                    slots.Add(new SystemSlot(
                        name,
                        Text(slot.Value, "state") == "booted",
                        Text(slot.Value, "boot_status") == "good",
                        slot.Value.TryGetProperty("slot_status"u8, out var detail) && detail.TryGetProperty("bundle"u8, out var bundle) && Text(bundle, "version") is { Length: > 0 } version ? version : null));
                }
            }
        }

        slots.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return slots;
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>The last line that is no note of what is being done.</summary>
    private static string LastWords(string text) =>
        text.Split('\n').Select(static line => line.Trim()).LastOrDefault(static line => line.Length > 0 && !line.StartsWith("rauc-", StringComparison.Ordinal)) ?? "RAUC says nothing about why.";

    private async Task<(int Code, string Output, string Errors)> RunAsync(string[] arguments, TimeSpan patience, Action<string>? line, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                // Its words are read here.
                Environment = { ["LC_ALL"] = "C" },
            })!;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(patience);
            try
            {
                var errors = ReadAsync(process.StandardError, line: null, limit.Token);
                var output = await ReadAsync(process.StandardOutput, line, limit.Token);
                await process.WaitForExitAsync(limit.Token);
                return (process.ExitCode, output, await errors);
            }
            catch (OperationCanceledException e)
            {
                process.Kill();
                cancellationToken.ThrowIfCancellationRequested();
                throw new IOException("RAUC did not come to an end.", e);
            }
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{command} cannot be started: {e.Message}. Updates of the image need it.", e);
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, Action<string>? line, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(cancellationToken) is { } read)
        {
            line?.Invoke(read);
            if (text.Length + read.Length < MaxAnswer)
            {
                text.Append(read).Append('\n');
            }
        }

        return text.ToString();
    }
}
