using System.Text;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Storage.Disk;

namespace PiPub.Lives;

/// <summary>
/// What is to be done to the data directory before the box opens it: noted down in the file <c>at-start</c>, so that a pulled plug
/// does not leave it half done. It is done again until it has come to its end.
/// </summary>
internal static partial class StartActions
{
    private const string FileName = "at-start";
    private const int MaxBytes = 64;

    private static readonly Dictionary<string, Action<string, PiPubOptions>> All = new(StringComparer.Ordinal)
    {
        [FactoryReset.Name] = FactoryReset.Apply,
    };

    /// <summary>Notes down what the next start begins with.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Stage(string dataDirectory, string action) =>
        FileSync.Replace(Path.Combine(dataDirectory, FileName), Encoding.UTF8.GetBytes(action + "\n"));

    /// <summary>Does what is noted down, if anything is. True when something was done: the configuration may be another then.</summary>
    /// <exception cref="IOException">It cannot be done; the message is for a person.</exception>
    public static bool Apply(PiPubOptions options, ILogger logger)
    {
        var path = Path.Combine(options.DataDirectory, FileName);
        if (!File.Exists(path))
        {
            return false;
        }

        // A disk that is too full to start may be just the reason.
        using var directory = DataDirectory.Open(options.DataDirectory, reserveBytes: 0);
        var name = new FileInfo(path).Length <= MaxBytes ? File.ReadAllText(path).Trim() : "";
        if (!All.TryGetValue(name, out var action))
        {
            throw new InvalidDataException($"{path} asks for something that this version of PiPub does not know. Remove that file to start without it.");
        }

        Doing(logger, name);
        action(directory.Path, options);
        File.Delete(path);
        FileSync.Directory(directory.Path);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Before the box starts: {Name}.")]
    private static partial void Doing(ILogger logger, string name);
}
