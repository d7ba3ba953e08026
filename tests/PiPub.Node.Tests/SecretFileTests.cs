using PiPub.Node.Identity;

namespace PiPub.Node.Tests;

public sealed class SecretFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-secret-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_made_once_readable_by_its_user_only_and_read_ever_after()
    {
        var made = SecretFile.ReadOrCreate(_directory, out var isNew);
        Assert.True(isNew);
        var path = Path.Combine(_directory, "secret");
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(path));
        var text = File.ReadAllText(path);

        var read = SecretFile.ReadOrCreate(_directory, out isNew);
        Assert.False(isNew);
        Assert.Equal(made.Id, read.Id);
        Assert.True(made.SecretKey.SequenceEqual(read.SecretKey));
        Assert.Equal(text, File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"curve":"k256","private":"AAAA","id":"x"}""")]
    [InlineData("""{"curve":"ed25519","private":"AAAA.ed25519","id":"x"}""")]
    [InlineData("""{"curve":"ed25519","private":7,"id":"x"}""")]
    public void A_damaged_file_stops_the_start_and_stays_as_it_is(string text)
    {
        var path = Path.Combine(_directory, "secret");
        File.WriteAllText(path, text);
        var error = Assert.Throws<InvalidDataException>(() => SecretFile.ReadOrCreate(_directory, out _));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(path));
    }
}
