using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PiPub.Conformance;

/// <summary>Where the vectors and other people's suites lie.</summary>
internal static class ConformanceFiles
{
    private static readonly string Folder = Path.GetDirectoryName(Here())!;

    /// <summary>vectors.json, made with the JavaScript reference packages.</summary>
    public static JsonElement Vectors { get; } = JsonElement.Parse(File.ReadAllBytes(Path.Combine(Folder, "vectors.json")));

    /// <summary>A file of an installed npm package, such as "shs1-test/test-client.js". A missing one fails the test.</summary>
    public static string Suite(string path)
    {
        var file = Path.Combine(Folder, "suites", "node_modules", path);
        Assert.True(File.Exists(file), $"{path} is not installed. Run `make peers`, or `npm ci` in tests/Conformance/suites.");
        return file;
    }

    public static byte[] Hex(this JsonElement element, string property) =>
        Convert.FromHexString(element.GetProperty(property).GetString()!);

    private static string Here([CallerFilePath] string path = "") => path;
}
