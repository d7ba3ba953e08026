using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PiPub.Node.Sentences;
using PiPub.Storage.Disk;

namespace PiPub.Appliance.Provisioning;

/// <summary>What provisioning needs to know from elsewhere.</summary>
/// <param name="CheckSettings">What is wrong with a file of settings; empty when it can be used.</param>
/// <param name="CheckClaim">What is wrong with a claim code; null when it is one.</param>
/// <param name="Node">The user whom the node's files belong to; null to leave them as they are.</param>
public sealed record ProvisioningRules(Func<string, IReadOnlyList<Sentence>> CheckSettings, Func<string, Sentence?> CheckClaim, FileOwner? Node);

/// <summary>
/// Applies what the owner wrote on the card where any computer can write it, before the node starts. Each file holds when it is whole
/// and right; else what held before goes on, and the report says what is wrong. A plug may be pulled at any moment: what is
/// secret leaves the card only after it is safely where it belongs.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item><c>pipub.conf</c>, settings: to <c>DATA/pipub.conf</c>; taken off the card it holds no longer.</item>
/// <item><c>authorized_keys</c>: to <c>DATA/ssh/authorized_keys</c>, which switches SSH on; taken off the card SSH is off again.</item>
/// <item><c>hardware.conf</c>, wiring: to <c>DATA/hardware.conf</c>; taken off the card the image's holds again.</item>
/// <item><c>wifi</c>: to <c>DATA/wifi/wpa_supplicant.conf</c>, and off the card.</item>
/// <item><c>claim</c>: to <c>DATA/pipub/claim</c>, and off the card.</item>
/// </list>
/// </remarks>
/// <param name="firmware">The mounted FAT partition.</param>
/// <param name="data">The mounted data partition.</param>
/// <param name="rules">See there.</param>
/// <param name="time">The clock, which may not be set yet.</param>
public sealed partial class CardProvisioning(string firmware, string data, ProvisioningRules rules, TimeProvider time)
{
    private const UnixFileMode Root = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everybody = Root | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode NodeOnly = UnixFileMode.UserRead;
    private const UnixFileMode PrivateDirectory = Root | UnixFileMode.UserExecute;

    private readonly List<(string Name, CardFileState State)> _files = [];
    private readonly List<CardProblem> _problems = [];

    /// <summary>Does it, and writes the report.</summary>
    /// <exception cref="IOException">The data partition cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public ProvisioningReport Apply()
    {
        // An empty directory is the place where the partition should have been mounted.
        if (!Directory.Exists(firmware) || !Directory.EnumerateFileSystemEntries(firmware).Any())
        {
            _problems.Add(new CardProblem("pipub.conf", null, Sentence.Of($"the card's partition is not at {firmware}."), Sentence.Of($"Nothing on it was looked at, and what held before goes on. Check the card in a computer.")));
        }
        else
        {
            ApplyAndSay("pipub.conf", Settings);
            ApplyAndSay(AuthorizedKeys.Name, Keys);
            ApplyAndSay("hardware.conf", file => Mirror(file, "hardware.conf", file?.Bytes));
            ApplyAndSay(WifiFile.Name, Wifi);
            ApplyAndSay("claim", Claim);
        }

        var report = new ProvisioningReport(time.GetUtcNow(), _files, _problems);
        FileSync.Replace(Path.Combine(data, ProvisioningReport.FileName), report.ToJson().Span, Everybody);
        return report;
    }

    private void ApplyAndSay(string name, Func<CardFile?, CardFileState> apply)
    {
        var file = CardFile.Read(firmware, name, out var problem);
        if (problem is not null)
        {
            _problems.Add(problem);
            _files.Add((name, CardFileState.Wrong));
            return;
        }

        _files.Add((name, apply(file)));
    }

    private CardFileState Settings(CardFile? file)
    {
        if (file is null)
        {
            return Mirror(null, "pipub.conf", null);
        }

        var wrong = rules.CheckSettings(file.FilePath);
        foreach (var words in wrong)
        {
            var line = LineNumber().Match(words.ToString());
            _problems.Add(new CardProblem(file.Name, line.Success ? int.Parse(line.Groups["line"].ValueSpan, CultureInfo.InvariantCulture) : null, words));
        }

        return wrong.Count > 0 ? CardFileState.Wrong : Mirror(file, "pipub.conf", Encoding.UTF8.GetBytes(string.Join('\n', file.Lines) + "\n"));
    }

    private CardFileState Keys(CardFile? file)
    {
        var keys = AuthorizedKeys.Read(file?.Lines ?? [], out var problems);
        _problems.AddRange(problems);
        if (keys.Count == 0 && problems.Count > 0)
        {
            return CardFileState.Wrong;
        }

        if (keys.Count > 0)
        {
            MakeDirectory(Path.Combine(data, "ssh"), PrivateDirectory);
        }

        return Mirror(keys.Count > 0 ? file : null, "ssh/" + AuthorizedKeys.Name, Encoding.UTF8.GetBytes(string.Concat(keys.Select(static key => key + "\n"))));
    }

    private CardFileState Wifi(CardFile? file)
    {
        if (file is null)
        {
            return CardFileState.Missing;
        }

        if (!WifiFile.TryRead(file.Lines, out var wifi, out var problems))
        {
            _problems.AddRange(problems);
            return CardFileState.Wrong;
        }

        MakeDirectory(Path.Combine(data, "wifi"), PrivateDirectory);
        FileSync.Replace(Path.Combine(data, "wifi", "wpa_supplicant.conf"), Encoding.UTF8.GetBytes(wifi.ToSupplicant()), Root);
        TakeOff(file);
        return CardFileState.Applied;
    }

    private CardFileState Claim(CardFile? file)
    {
        if (file is null)
        {
            return CardFileState.Missing;
        }

        var code = file.Text!.Trim();
        if (rules.CheckClaim(code) is { } problem)
        {
            _problems.Add(new CardProblem(file.Name, null, problem, Sentence.Of($"Write a longer one, or use the code that the box shows.")));
            return CardFileState.Wrong;
        }

        MakeDirectory(Path.Combine(data, "pipub"), PrivateDirectory, rules.Node);
        FileSync.Replace(Path.Combine(data, "pipub", "claim"), Encoding.UTF8.GetBytes(code + "\n"), NodeOnly, rules.Node is { } node ? node.Give : null);
        TakeOff(file);
        return CardFileState.Applied;
    }

    /// <summary>Has the data partition hold what the card holds, or nothing.</summary>
    private CardFileState Mirror(CardFile? file, string name, ReadOnlyMemory<byte>? content)
    {
        var path = Path.Combine(data, name);
        if (file is null || content is not { } bytes)
        {
            if (File.Exists(path))
            {
                File.Delete(path);
                FileSync.Directory(Path.GetDirectoryName(path)!);
            }

            return CardFileState.Missing;
        }

        // The card is worn by every write: what is there already is left alone.
        if (File.Exists(path) && new FileInfo(path).Length == bytes.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes.Span))
        {
            return CardFileState.Unchanged;
        }

        FileSync.Replace(path, bytes.Span, Everybody);
        return CardFileState.Applied;
    }

    private void TakeOff(CardFile file)
    {
        try
        {
            file.Destroy();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new CardProblem(file.Name, null, Sentence.Of($"it is in use now, but could not be removed from the card: {e.Message}"), Sentence.Of($"Delete it there with a computer: whoever finds the card can read it.")));
        }
    }

    private static void MakeDirectory(string path, UnixFileMode mode, FileOwner? owner = null)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path, mode);
            owner?.Give(path);
        }
    }

    [GeneratedRegex(@", line (?<line>[0-9]{1,6})\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LineNumber();
}
