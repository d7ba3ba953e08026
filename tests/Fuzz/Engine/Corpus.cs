using System.Security.Cryptography;

namespace PiPub.Fuzz;

/// <summary>
/// The inputs of a target that are worth keeping, in tests/Fuzz/Corpus/(target): <c>grown</c> has those that reached something new, one
/// in each line in base64; a file <c>crash-*</c> is one that once broke a rule, as it was.
/// </summary>
internal sealed class Corpus(FuzzTarget target)
{
    private static readonly string Root = Path.Combine(FindRepository(), "tests", "Fuzz", "Corpus");

    private string Folder => Path.Combine(Root, target.Name);

    private string Grown => Path.Combine(Folder, "grown");

    /// <summary>All kept inputs: the seeds, what broke a rule, what grew.</summary>
    public IEnumerable<byte[]> All()
    {
        foreach (var seed in target.Seeds)
        {
            yield return seed;
        }

        if (!Directory.Exists(Folder))
        {
            yield break;
        }

        foreach (var crash in Directory.EnumerateFiles(Folder, "crash-*").Order(StringComparer.Ordinal))
        {
            yield return File.ReadAllBytes(crash);
        }

        foreach (var line in File.Exists(Grown) ? File.ReadLines(Grown) : [])
        {
            yield return Convert.FromBase64String(line);
        }
    }

    /// <summary>Replaces what grew.</summary>
    public void Keep(IEnumerable<byte[]> inputs)
    {
        Directory.CreateDirectory(Folder);
        var unfinished = Grown + ".new";
        File.WriteAllLines(unfinished, inputs.Select(Convert.ToBase64String));
        File.Move(unfinished, Grown, overwrite: true);
    }

    /// <summary>Keeps an input that broke a rule, as a regression test. Returns its file.</summary>
    public string KeepCrash(ReadOnlySpan<byte> input)
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, "crash-" + Convert.ToHexStringLower(SHA256.HashData(input))[..12]);
        File.WriteAllBytes(path, input);
        return path;
    }

    private static string FindRepository()
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "PiPub.sln")))
            {
                return at;
            }
        }

        throw new InvalidOperationException($"No PiPub.sln above {AppContext.BaseDirectory}.");
    }
}
