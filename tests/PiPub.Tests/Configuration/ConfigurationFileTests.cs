using System.Collections;
using PiPub.Configuration;

namespace PiPub.Tests.Configuration;

public sealed class ConfigurationFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string File => Path.Combine(_directory.Path, ConfigurationReader.FileName);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_key_is_changed_in_its_line_and_everything_else_stays()
    {
        System.IO.File.WriteAllText(File, "# mine\nhops-are-not-this = no\n  hops=1   # few\nweb-port = 8081\n");
        ConfigurationFile.Set(File, "hops", "3");
        Assert.Equal("# mine\nhops-are-not-this = no\nhops = 3\nweb-port = 8081\n", System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void A_missing_key_or_file_is_made_and_read_again()
    {
        ConfigurationFile.Set(File, "hops", "3");
        ConfigurationFile.Set(File, "map-port", "off");
        var options = Read([]);
        Assert.Equal((3, false, File), (options.Hops, options.MapPort, options.ConfigurationFile));
        Assert.Equal([File], Directory.GetFiles(_directory.Path));
        Assert.DoesNotContain("hops", options.SetElsewhere.Keys);
    }

    [Fact]
    public void A_list_is_written_in_one_line_whatever_there_was()
    {
        System.IO.File.WriteAllText(File, "public-host = a.example\nhops = 1\npublic-host = b.example\n");
        ConfigurationFile.Set(File, "public-host", "c.example, d.example");
        Assert.Equal("public-host = c.example, d.example\nhops = 1\n", System.IO.File.ReadAllText(File));
        Assert.Equal(["c.example", "d.example"], Read([]).PublicHosts);
    }

    [Fact]
    public void Keys_are_taken_out_and_a_file_without_any_goes()
    {
        System.IO.File.WriteAllText(File, "# mine\nhops = 3\nmap-port = off\n");
        ConfigurationFile.Remove(File, ["hops", "map-port"]);
        Assert.Equal("# mine\n", System.IO.File.ReadAllText(File));
        System.IO.File.WriteAllText(File, "hops = 3\n");
        ConfigurationFile.Remove(File, ["hops"]);
        ConfigurationFile.Remove(File, ["hops"]);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public void What_a_stronger_place_sets_is_known()
    {
        var options = Read([KeyValuePair.Create<string, IReadOnlyList<string>>("hops", ["1"])]);
        Assert.Equal("--hops on the command line", options.SetElsewhere["hops"].ToString());
    }

    [Theory]
    [InlineData("connect", "x")]
    [InlineData("hops", "many")]
    [InlineData("nonsense", "1")]
    [InlineData("hops", "1\nweb-port = 1")]
    [InlineData("hops", "1 # one")]
    public void Nothing_is_written_that_would_not_be_read_so(string key, string value)
    {
        Assert.Throws<ArgumentException>(() => ConfigurationFile.Set(File, key, value));
        Assert.Empty(Directory.GetFiles(_directory.Path));
    }

    private PiPubOptions Read(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> commandLine) => ConfigurationReader.Read(
        null, new Hashtable(), [KeyValuePair.Create<string, IReadOnlyList<string>>("data-directory", [_directory.Path]), .. commandLine]);
}
