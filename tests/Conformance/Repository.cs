using System.Text.Json;

namespace PiPub.Conformance;

/// <summary>Where things are in the source tree that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>A file of an npm package under tests/Conformance/suites.</summary>
    /// <exception cref="InvalidOperationException">The packages are not installed.</exception>
    public static string Suite(string package, string file)
    {
        var path = Path.Combine(Root, "tests", "Conformance", "suites", "node_modules", package, file);
        return File.Exists(path)
            ? path
            : throw new InvalidOperationException($"The npm packages of tests/Conformance/suites are not installed. `make peers` installs them. Missing: {package}/{file}");
    }

    /// <summary>One part of vectors.json, which was made with the JavaScript reference packages.</summary>
    public static JsonElement Vectors(string part) =>
        JsonElement.Parse(File.ReadAllBytes(Path.Combine(Root, "tests", "Conformance", "vectors.json"))).GetProperty(part);

    private static string FindRoot()
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
