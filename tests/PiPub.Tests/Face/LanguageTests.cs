using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PiPub.Web.Language;
using PiPub.Web.Shell;

namespace PiPub.Tests.Face;

/// <summary>The pages' words in the languages that they speak.</summary>
public sealed partial class LanguageTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Translations => [.. Languages.Codes.Skip(1)];

    [Theory]
    [MemberData(nameof(Translations))]
    public void Every_language_has_every_word_of_the_pages_and_no_others(string code)
    {
        var words = WordsIn(code);
        var keys = Keys();
        Assert.True(keys.Count > 100, "The pages' words were not found.");
        List<string> wrong =
        [
            .. keys.Where(key => !words.ContainsKey(key)).Select(static key => $"lacks: {key}"),
            // Resources do not tell large and small letters apart: the second of such a pair would be dropped.
            .. keys.GroupBy(static key => key, StringComparer.OrdinalIgnoreCase).Where(static same => same.Count() > 1).Select(static same => $"differ in case only: {string.Join(", ", same)}"),
            .. words.Keys.Where(key => !keys.Contains(key)).Select(static key => $"no page says: {key}"),
            .. words.Where(static word => word.Value.Trim().Length == 0).Select(static word => $"is empty: {word.Key}"),
            .. words.Where(static word => !Placeholders(word.Key).SetEquals(Placeholders(word.Value))).Select(static word => $"other placeholders: {word.Key}: {word.Value}"),
        ];
        Assert.True(wrong.Count == 0, $"Words.{code}.resx\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void Every_language_travels_with_the_build()
    {
        var built = XDocument.Parse(RepositoryFiles.Read("Directory.Build.props")).Descendants("SatelliteResourceLanguages").Single().Value.Split(';');
        Assert.Equal(Languages.Codes, built);
        Assert.Equal(Languages.Codes.Count, Languages.Codes.Select(Languages.NameOf).Distinct().Count());
    }

    [Fact]
    public async Task A_browser_is_spoken_to_in_its_language_or_in_the_one_that_was_chosen_there()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        Assert.Equal("Make this box yours", await HeadingAsync(visitor, null));
        Assert.Equal("Make this box yours", await HeadingAsync(visitor, "tlh"));
        Assert.Equal("Mach diese Box zu deiner", await HeadingAsync(visitor, "de"));
        Assert.Equal("Mach diese Box zu deiner", await HeadingAsync(visitor, "de-AT"));
        Assert.Equal("Faites de ce boîtier le vôtre", await HeadingAsync(visitor, "fr-CH,fr;q=0.9,de;q=0.8,en;q=0.7"));

        _ = await visitor.FillInAsync("/claim", LanguageEndpoint.Path, ("code", "fr"), ("back", "/claim"));
        Assert.Equal("Faites de ce boîtier le vôtre", await HeadingAsync(visitor, "de"));
        _ = await visitor.FillInAsync("/claim", LanguageEndpoint.Path, ("code", "en"), ("back", "/claim"));
        Assert.Equal("Make this box yours", await HeadingAsync(visitor, "de"));
    }

    [Fact]
    public async Task What_the_box_says_of_itself_is_said_in_the_language_of_the_page()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        _ = await visitor.ClaimAsync(box, "correct horse");
        Assert.Contains(
            "Der eingestellte public-host 127.0.0.1 ist nur im Heimnetz bekannt, deshalb kann niemand von außen diese Box erreichen.",
            WebUtility.HtmlDecode(await (await visitor.GetAsync("/", language: "de")).Content.ReadAsStringAsync(Stop)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", 0, false)]
    [InlineData("en", 1, true)]
    [InlineData("en", 2, false)]
    [InlineData("de", 0, false)]
    [InlineData("fr", 0, true)]
    [InlineData("fr", 1, true)]
    [InlineData("fr", 2, false)]
    public void Counts_take_the_singular_as_each_language_does(string code, long count, bool isOne)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = Languages.CultureOf(code);
            Assert.Equal(isOne, Languages.IsOne(count));
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    [Theory]
    [InlineData("en", "1.4\u00A0GB")]
    [InlineData("de", "1,4\u00A0GB")]
    [InlineData("fr", "1,4\u00A0GB")]
    public void Sizes_are_written_as_each_language_does(string code, string expected)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = Languages.CultureOf(code);
            Assert.Equal(expected, Amounts.Size(1_400_000_000));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static async Task<string> HeadingAsync(Visitor visitor, string? language)
    {
        var html = await (await visitor.GetAsync("/claim", language: language)).Content.ReadAsStringAsync(Stop);
        return WebUtility.HtmlDecode(Heading().Match(html).Groups[1].Value);
    }

    private static Dictionary<string, string> WordsIn(string code)
    {
        // Throws if a key comes twice.
        return XDocument.Parse(RepositoryFiles.Read($"src/PiPub.Web/Language/Words.{code}.resx")).Root!.Elements("data")
            .ToDictionary(static data => data.Attribute("name")!.Value, static data => data.Element("value")!.Value);
    }

    /// <summary>What the pages look up. A key must be written out where it is looked up, or nobody could tell that it is missing.</summary>
    private static HashSet<string> Keys()
    {
        var keys = new HashSet<string>();
        foreach (var file in SourceFiles("src/PiPub.Web"))
        {
            foreach (Match lookup in Lookup().Matches(File.ReadAllText(file)))
            {
                Assert.True(lookup.Groups["key"].Success, $"{file}: the key is not written out: {lookup.Value}");
                keys.Add(Unescaped(lookup.Groups["key"].Value));
            }
        }

        keys.UnionWith(Sentences());
        return keys;
    }

    /// <summary>What the box says of itself, as the pages look it up: a number in place of each value.</summary>
    private static HashSet<string> Sentences()
    {
        var keys = new HashSet<string>();
        foreach (var file in SourceFiles("src").Where(static file => !file.EndsWith("/Sentence.cs", StringComparison.Ordinal)))
        {
            foreach (Match said in Said().Matches(File.ReadAllText(file)))
            {
                Assert.True(said.Groups["key"].Success, $"{file}: the sentence is not written out: {said.Value}");
                var count = 0;
                keys.Add(Unescaped(Hole().Replace(said.Groups["key"].Value, _ => $"{{{count++}}}")));
            }
        }

        Assert.True(keys.Count > 50, "The sentences were not found.");
        return keys;
    }

    private static string Unescaped(string literal) => literal.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);

    private static IEnumerable<string> SourceFiles(string folder) =>
        Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, folder), "*", SearchOption.AllDirectories)
            .Where(static file => Path.GetExtension(file) is ".razor" or ".cs" && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static HashSet<string> Placeholders(string words) => [.. Placeholder().Matches(words).Select(static match => match.Value)];

    [GeneratedRegex("""\b(?:T|words)\[(?:\s*"(?<key>(?:[^"\\]|\\.)*)"\s*[,\]]|.{0,40})""")]
    private static partial Regex Lookup();

    [GeneratedRegex("""\bSentence\.Of\((?:\$"(?<key>(?:[^"\\{]|\\.|\{[^{}]*\})*)"\)|.{0,60})""")]
    private static partial Regex Said();

    [GeneratedRegex("""\{[^{}]*\}""")]
    private static partial Regex Hole();

    [GeneratedRegex("""\{[0-9]+\}""")]
    private static partial Regex Placeholder();

    [GeneratedRegex("<h1>([^<]*)</h1>")]
    private static partial Regex Heading();
}
