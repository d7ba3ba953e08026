using System.Runtime.CompilerServices;

namespace PiPub.Tests;

/// <summary>Where the tree that these tests were built from lies.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", ".."));

    public static string Read(string relative) => File.ReadAllText(Path.Combine(Root, relative));

    private static string Here([CallerFilePath] string path = "") => path;
}
