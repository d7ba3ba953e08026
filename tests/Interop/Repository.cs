namespace PiPub.Interop;

/// <summary>Where things are in the source tree that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>A folder of tests/Interop/peers with its packages.</summary>
    /// <exception cref="InvalidOperationException">The packages are not installed.</exception>
    public static string NodeProject(string name)
    {
        var project = Path.Combine(Root, "tests", "Interop", "peers", name);
        if (!Directory.Exists(Path.Combine(project, "node_modules")))
            throw new InvalidOperationException($"The npm packages of tests/Interop/peers/{name} are not installed. `make peers` installs them.");
        return project;
    }

    private static string FindRoot()
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "PiPub.sln")))
                return at;
        }
        throw new InvalidOperationException($"No PiPub.sln above {AppContext.BaseDirectory}.");
    }
}
