using System.Globalization;
using System.Text.RegularExpressions;
using PiPub.Interop;

namespace PiPub.Hostile.Faults;

/// <summary>Loses packets that go to the box and from it, at random: rules of nftables in the test's own namespace.</summary>
internal sealed partial class LossyLine : IAsyncDisposable
{
    private const string Table = "inet lossy";

    private LossyLine()
    {
    }

    /// <summary>From now on one in so many packets is lost.</summary>
    public static async Task<LossyLine> BeginAsync(Target target, int oneIn)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft"), "No nft, so no packets can be lost: install it with apt install nftables.");
        await NftAsync("add", "table", Table);
        await NftAsync("add", "chain", Table, "lost", "{ type filter hook input priority 0; }");
        foreach (var end in (string[])["dport", "sport"])
            await NftAsync("add", "rule", Table, "lost", "tcp", end, $"{target.Door.Port}", "numgen", "random", "mod", $"{oneIn}", "==", "0", "counter", "drop");
        return new LossyLine();
    }

    /// <summary>How many were lost so far, on their way to the box and from it.</summary>
    public static async Task<int[]> LostAsync() =>
        [.. Packets().Matches(await NftAsync("list", "table", Table)).Select(static match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    public async ValueTask DisposeAsync() => _ = await NftAsync("delete", "table", Table);

    private static async Task<string> NftAsync(params string[] arguments)
    {
        var (code, output, errors) = await ChildProcess.RunAsync("nft", [.. arguments.SelectMany(static argument => argument.Split(' '))], TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"nft {string.Join(' ', arguments)} ended with {code}: {errors}");
        return output;
    }

    [GeneratedRegex(@"counter packets (\d+)")]
    private static partial Regex Packets();
}
