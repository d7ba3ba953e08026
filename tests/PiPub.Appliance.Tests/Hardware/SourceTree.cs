namespace PiPub.Appliance.Tests.Hardware;

/// <summary>Files beside the code, which say the same as it does.</summary>
internal static class SourceTree
{
    /// <summary>The path of a file, given from the root of the source tree.</summary>
    public static string File(string path)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(root.FullName, "PiPub.sln")))
        {
            root = root.Parent!;
        }

        return Path.Combine(root.FullName, path);
    }
}
