using PiPub.Node.Identity;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests;

public sealed class SecretFileTests : IDisposable
{
    // The shape that ssb-keys 8.5.0 writes.
    private const string Reference = """
        # WARNING: Never show this to anyone.
        #
        {
          "curve": "ed25519",
          "public": "PUBLIC.ed25519",
          "private": "PRIVATE.ed25519",
          "id": "@PUBLIC.ed25519"
        }
        # The only part of this file that's safe to share is your public name:
        """;

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

    [Fact]
    public void A_file_of_ssb_keys_is_read()
    {
        var pair = KeyPair.FromSeed(Enumerable.Repeat((byte)7, 32).ToArray());
        var text = Reference.Replace("PUBLIC", Convert.ToBase64String(pair.Id.AsSpan())).Replace("PRIVATE", Convert.ToBase64String(pair.SecretKey));
        Assert.Equal(pair.Id, SecretFile.Parse(text).Id);
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

    [Fact]
    public void Halves_of_two_key_pairs_are_refused()
    {
        var (one, two) = (KeyPair.Generate(), KeyPair.Generate());
        Assert.Throws<FormatException>(() => SecretFile.Parse(SecretFile.Format(one).Replace(one.Id.ToString(), two.Id.ToString())));
    }
}
