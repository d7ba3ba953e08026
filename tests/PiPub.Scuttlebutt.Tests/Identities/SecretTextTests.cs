using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Identities;

public class SecretTextTests
{
    private const string Private = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXA==.ed25519";
    private const string Public = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519";

    private static readonly KeyPair Keys = KeyPair.FromSeed(Enumerable.Repeat((byte)1, 32).ToArray());

    [Fact]
    public void The_text_is_to_the_byte_what_ssb_keys_writes()
    {
        var text = Encoding.ASCII.GetBytes(SecretText.Format(Keys));
        Assert.Equal(869, text.Length);
        Assert.Equal("2294bd21817c116cecf8961c0bdd612effd17fce348a0405f4ee951ff46ef1f8", Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void What_was_written_is_read(string lineEnd)
    {
        var text = SecretText.Format(Keys).Replace("\n", lineEnd, StringComparison.Ordinal);
        Assert.True(SecretText.Parse(text).SecretKey.SequenceEqual(Keys.SecretKey));
    }

    [Theory]
    [InlineData(Private)]
    [InlineData("# a comment\n" + Private + " # and one more\n")]
    [InlineData("\uFEFF" + Private + "\n")]
    [InlineData($$"""{"private":"{{Private}}"}""")]
    [InlineData($$"""{"curve":"ed25519","public":"{{Public}}","private":"{{Private}}","id":"ssb:feed/classic/old-spelling"}""")]
    [InlineData($$"""{"curve":"ed25519","public":"{{Public}}","private":"{{Private}}"}""")]
    public void Old_forms_are_read(string text) => Assert.Equal(Keys.Id, SecretText.Parse(text).Id);

    [Theory]
    [InlineData("", "only comments")]
    [InlineData("# nothing", "only comments")]
    [InlineData("{\"curve\":", "not JSON")]
    [InlineData("{}", "no \"private\"")]
    [InlineData("""{"curve":"k256","private":"x"}""", "k256")]
    [InlineData("AAAA.ed25519", "64 bytes")]
    [InlineData($$"""{"curve":"ed25519","public":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519","private":"{{Private}}"}""", "\"public\"")]
    [InlineData($$"""{"curve":"ed25519","public":"{{Public}}","private":"{{Private}}","id":"@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519"}""", "\"id\"")]
    public void What_is_no_key_pair_is_refused_with_its_fault(string text, string fault) =>
        Assert.Contains(fault, Assert.Throws<FormatException>(() => SecretText.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Halves_of_two_key_pairs_are_refused()
    {
        var seed = Keys.SecretKey.ToArray();
        seed[0] ^= 1;
        var text = SecretText.Format(Keys).Replace(Private, Convert.ToBase64String(seed) + ".ed25519", StringComparison.Ordinal);
        Assert.Contains("two halves", Assert.Throws<FormatException>(() => SecretText.Parse(text)).Message, StringComparison.Ordinal);
    }
}
