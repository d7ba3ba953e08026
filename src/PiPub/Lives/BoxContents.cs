using System.Text.RegularExpressions;

namespace PiPub.Lives;

/// <summary>
/// What in a data directory is the box's own: the names of all files that PiPub makes there. What has another name is somebody
/// else's and is never touched.
/// </summary>
internal static partial class BoxContents
{
    /// <summary>Deeper than this PiPub makes nothing: <c>replacement/blobs/sha256/ab/...</c>.</summary>
    private const int Depth = 5;

    private static readonly Regex[] Files = [Secrets(), Kept()];

    /// <summary>The box's own files, secret ones first; paths relative to the data directory with <c>/</c> between.</summary>
    public static IEnumerable<(string Path, bool IsSecret)> In(string dataDirectory)
    {
        var found = Walk(dataDirectory, "", Depth).ToList();
        return found.Where(static path => Secrets().IsMatch(path)).Select(static path => (path, true))
            .Concat(found.Where(static path => Kept().IsMatch(path)).Select(static path => (path, false)));
    }

    /// <summary>The box's own directories below the data directory, the deepest first.</summary>
    public static IEnumerable<string> DirectoriesIn(string dataDirectory) =>
        WalkDirectories(dataDirectory, "", Depth).OrderByDescending(static path => path.Count(static c => c == '/'));

    /// <summary>Whether a file or directory of this relative path is the box's own.</summary>
    public static bool IsOwn(string path) => path is "lock" or "at-start" || Directories().IsMatch(path) || Files.Any(files => files.IsMatch(path));

    private static IEnumerable<string> Walk(string root, string below, int depth) =>
        Directory.EnumerateFiles(Path.Combine(root, below)).Select(file => Join(below, file))
            .Concat(depth == 1 ? [] : Below(root, below).SelectMany(directory => Walk(root, directory, depth - 1)));

    private static IEnumerable<string> WalkDirectories(string root, string below, int depth) => depth == 1
        ? []
        : Below(root, below).SelectMany(directory => WalkDirectories(root, directory, depth - 1).Prepend(directory));

    // One that is a link (blobs on a larger disk) is the box's all the same; only known names are followed.
    private static IEnumerable<string> Below(string root, string below) =>
        Directory.EnumerateDirectories(Path.Combine(root, below)).Select(directory => Join(below, directory)).Where(static directory => Directories().IsMatch(directory));

    private static string Join(string below, string path) => below.Length == 0 ? Path.GetFileName(path) : below + "/" + Path.GetFileName(path);

    // The box's key, one to be and those before it, invites and password (state), the keys of backups, of forms and of HTTPS; and
    // what is about to be put in place of all that.
    [GeneratedRegex(@"^(replacement(\.new)?/)?(secret(\.next|\.replaced-[0-9]+)?(\.new)?|backup-key(\.new)?|state\.sqlite(-wal|-shm|-journal)?|keys/(key|revocation)-[^/]+\.xml|https/(authority|server)\.pem(\.new)?)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Secrets();

    [GeneratedRegex(@"^(replacement(\.new)?/)?(at-start\.new|socket|clock|update\.json(\.new)?|updates/update\.raucb|views\.sqlite(-wal|-shm|-journal)?|clocks/[0-9a-f]{64}(\.new)?|log(\.damaged-[0-9]+|\.salvage)?/[0-9a-f]{16}\.log|blobs/sha256/[0-9a-f]{2}/[0-9a-f]{62}|blobs/tmp/[0-9a-f]{32}|uploads/[0-9a-f]{32}(\.offset|\.bipf)?)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Kept();

    [GeneratedRegex(@"^(replacement(\.new)?|(replacement(\.new)?/)?(keys|https|clocks|uploads|updates|log|log\.damaged-[0-9]+|log\.salvage|blobs|blobs/tmp|blobs/sha256|blobs/sha256/[0-9a-f]{2}))$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Directories();
}
