using System.Collections;
using System.Text;
using PiPub.Node.Sentences;

namespace PiPub.Configuration;

/// <summary>
/// Reads the options from, weakest to strongest: the defaults, the file of an image, the box's own file, the file from the card, the
/// environment, the command line. A key that a stronger place gives replaces the weaker one's value whole, lists too. All
/// problems are found before any is reported.
/// </summary>
/// <remarks>
/// The box's own file is <c>pipub.conf</c> in the data directory unless <c>--config</c> (or <c>PIPUB_CONFIG</c>) names one; the pages
/// write there. An image's is <c>pipub.conf</c> beside the program. The one from the card is what <c>card-settings</c> names. On an image
/// what is wrong in those two is passed over: a newer version may have written it, before the machine went back to this one, and nobody
/// is there to read why a box does not start.
/// Lines are <c>key = value</c>; <c>#</c> begins a comment at a line's start or after white space. In UTF-8, 1 MiB at most.
/// </remarks>
public sealed class ConfigurationReader
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "pipub.conf";

    private const string ConfigVariable = ConfigurationTable.EnvironmentPrefix + "CONFIG";
    private const int MaxFileBytes = 1 << 20;

    private readonly Dictionary<string, Given> _given = new(StringComparer.Ordinal);
    private readonly List<Sentence> _problems = [];
    private readonly List<Sentence> _passedOver = [];

    private ConfigurationReader()
    {
    }

    /// <summary>Reads the options.</summary>
    /// <param name="file">The file that the command line names, or null for the usual one, which may be missing.</param>
    /// <param name="environment">Variables; those without the prefix are passed over.</param>
    /// <param name="commandLine">Keys with the texts given for them; keys without any are passed over.</param>
    /// <param name="imageFile">The file of an image, which may be missing; null for the one beside the program.</param>
    /// <exception cref="ConfigurationException">Unknown keys, or values that are not allowed.</exception>
    public static PiPubOptions Read(string? file, IDictionary environment, IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> commandLine, string? imageFile = null)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(commandLine);
        var reader = new ConfigurationReader();
        reader.ReadEnvironment(environment, ref file);
        foreach (var (name, texts) in commandLine.Where(static given => given.Value.Count > 0))
        {
            reader._given[name] = new Given(texts, Sentence.Of($"--{name} on the command line"));
        }

        var image = reader.ReadLines(imageFile ?? Path.Combine(AppContext.BaseDirectory, FileName));
        var path = reader.PathOf(file, image);
        var isTolerated = image.Count > 0;
        var own = reader.ReadLines(path, isTolerated);
        if (reader.StrongestOf("card-settings", own, image) is { } card && card.Texts[0] != "none")
        {
            reader.AddWeaker(reader.ReadLines(card.Texts[0], isTolerated && !reader._given.ContainsKey("card-settings")));
        }

        // The pages change the box's own file; all that is stronger they leave alone.
        var elsewhere = reader._given.ToDictionary(static given => given.Key, static given => given.Value.Where, StringComparer.Ordinal);
        reader.AddWeaker(own);
        reader.AddWeaker(image);
        var options = reader.Build();
        (options.ConfigurationFile, options.SetElsewhere, options.PassedOver) = (path, elsewhere, reader._passedOver);
        return options;
    }

    /// <summary>Reads a file from the card as it would be read in its place.</summary>
    /// <returns>What is wrong with it; empty when it can be used.</returns>
    public static IReadOnlyList<Sentence> CheckCardSettings(string path, string? imageFile = null)
    {
        try
        {
            var options = Read(null, new Hashtable(), [new("card-settings", [path])], imageFile);
            return [.. options.SetElsewhere
                .Where(given => ConfigurationTable.OfImage.Contains(given.Key) && given.Value.ToString().StartsWith(path, StringComparison.Ordinal))
                .Select(static given => Sentence.Of($"\"{given.Key}\" ({given.Value}) belongs to the image and cannot be set on the card. Take the line out."))];
        }
        catch (ConfigurationException e)
        {
            return e.Problems;
        }
    }

    private void ReadEnvironment(IDictionary environment, ref string? file)
    {
        foreach (DictionaryEntry variable in environment)
        {
            var name = (string)variable.Key;
            var value = ((string?)variable.Value ?? "").Trim();
            if (name == ConfigVariable)
            {
                file ??= value;
                continue;
            }

            if (!name.StartsWith(ConfigurationTable.EnvironmentPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            var key = name[ConfigurationTable.EnvironmentPrefix.Length..].Replace('_', '-').ToLowerInvariant();
            if (ConfigurationTable.Find(key)?.EnvironmentName == name)
            {
                _given[key] = new Given([value], Sentence.Of($"the environment variable {name}"));
            }
            else
            {
                var nearest = ConfigurationTable.Nearest(key);
                _problems.Add(Sentence.Of($"The environment variable {name} (value \"{value}\") is no setting of PiPub. {Suggest(nearest?.EnvironmentName)}"));
            }
        }
    }

    private string PathOf(string? file, Dictionary<string, Given> image)
    {
        if (file is null)
        {
            return Path.Combine(DirectoryToLookIn(image), FileName);
        }

        var path = Path.GetFullPath(file);
        if (!File.Exists(path))
        {
            _problems.Add(Sentence.Of($"The configuration file {path} does not exist. Make it, or leave out --config."));
        }

        return path;
    }

    private Dictionary<string, Given> ReadLines(string path, bool isTolerated = false)
    {
        var inFile = new Dictionary<string, Given>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.Exists(path) ? Lines(path) : [])
        {
            number++;
            ReadLine(line, Sentence.Of($"{path}, line {number}"), inFile, isTolerated);
        }

        return inFile;
    }

    private void AddWeaker(Dictionary<string, Given> weaker)
    {
        foreach (var (key, given) in weaker)
        {
            _given.TryAdd(key, given);
        }
    }

    private Given? StrongestOf(string key, params ReadOnlySpan<Dictionary<string, Given>> weaker)
    {
        var found = _given.GetValueOrDefault(key);
        foreach (var place in weaker)
        {
            found ??= place.GetValueOrDefault(key);
        }

        return found;
    }

    private void ReadLine(string line, Sentence where, Dictionary<string, Given> inFile, bool isTolerated)
    {
        var problems = isTolerated ? _passedOver : _problems;
        var text = WithoutComment(line).Trim();
        if (text.Length == 0)
        {
            return;
        }

        var equals = text.IndexOf('=');
        if (equals < 0)
        {
            problems.Add(Sentence.Of($"\"{text}\" in {where} is not a setting. Write it as: key = value"));
            return;
        }

        var name = text[..equals].TrimEnd();
        var value = text[(equals + 1)..].TrimStart();
        if (ConfigurationTable.Find(name) is not { } key)
        {
            problems.Add(Sentence.Of($"\"{name}\" (value \"{value}\") in {where} is no setting of PiPub. {Suggest(ConfigurationTable.Nearest(name)?.Name)}"));
        }
        else if (!inFile.TryGetValue(name, out var earlier))
        {
            inFile[name] = new Given([value], where, isTolerated);
        }
        else if (key.IsList)
        {
            inFile[name] = new Given([.. earlier.Texts, value], where, isTolerated);
        }
        else
        {
            problems.Add(Sentence.Of($"\"{name}\" in {where} is given a second time (value \"{value}\"). Keep one of the lines."));
        }
    }

    private PiPubOptions Build()
    {
        var options = new PiPubOptions();
        foreach (var key in ConfigurationTable.Keys)
        {
            if (_given.TryGetValue(key.Name, out var given))
            {
                Apply(key, given, options);
            }
        }

        if (options.SsbPort == options.WebPort && options.SsbPort != 0)
        {
            _problems.Add(Sentence.Of($"\"ssb-port\" and \"web-port\" are both {options.SsbPort}. Give one of them another number."));
        }

        if (options.IsHttpsPortChosen && options.HttpsPort is { } https and not 0 && (https == options.WebPort || https == options.SsbPort))
        {
            _problems.Add(Sentence.Of($"\"https-port\" is {https}, and so is another port. Give one of them another number."));
        }

        if (options.BlobQuotaPerAuthor > options.BlobQuota && _given.ContainsKey("blob-quota-per-author"))
        {
            _problems.Add(Sentence.Of($"\"blob-quota-per-author\" is more than \"blob-quota\". Lower it, or raise blob-quota."));
        }

        return _problems.Count == 0 ? options : throw new ConfigurationException(_problems);
    }

    private void Apply(ConfigurationKey key, Given given, PiPubOptions options)
    {
        var texts = given.Texts;
        if (key.IsList)
        {
            texts = [.. texts.SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        }

        try
        {
            if (!key.IsList && texts.Count != 1)
            {
                throw new FormatException();
            }

            if (texts.Count > 0)
            {
                key.Apply(options, texts);
            }
        }
        catch (FormatException)
        {
            var (text, allowed) = (string.Join(", ", texts), key.Allowed.Replace("`", ""));
            (given.IsTolerated ? _passedOver : _problems).Add(Sentence.Of($"\"{key.Name}\" cannot be \"{text}\" (from {given.Where}). Allowed: {allowed}."));
        }
    }

    private string DirectoryToLookIn(Dictionary<string, Given> image)
    {
        var options = new PiPubOptions();
        if (StrongestOf("data-directory", image) is { } given)
        {
            try
            {
                options.DataDirectory = ConfigurationValue.Directory(given.Texts[0]);
            }
            catch (FormatException)
            {
                // Reported when the value itself is read.
            }
        }

        return options.DataDirectory;
    }

    private string[] Lines(string path)
    {
        try
        {
            if (new FileInfo(path).Length <= MaxFileBytes)
            {
                return File.ReadAllLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            }

            _problems.Add(Sentence.Of($"The configuration file {path} is larger than 1 MiB. It cannot be one."));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            _problems.Add(Sentence.Of($"The configuration file {path} cannot be read: {e.Message}"));
        }

        return [];
    }

    private static string WithoutComment(string line)
    {
        for (var i = line.IndexOf('#'); i >= 0; i = line.IndexOf('#', i + 1))
        {
            if (i == 0 || char.IsWhiteSpace(line[i - 1]))
            {
                return line[..i];
            }
        }

        return line;
    }

    private static Sentence Suggest(string? nearest) =>
        nearest is null ? Sentence.Of($"`pipub config` lists every setting.") : Sentence.Of($"Did you mean {nearest}? `pipub config` lists every setting.");

    private sealed record Given(IReadOnlyList<string> Texts, Sentence Where, bool IsTolerated = false);
}
