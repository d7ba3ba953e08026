using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Identities;

public sealed class RecoveryWordsTests
{
    /// <summary>Those of BIP-39's test vectors that have 256 bits of entropy (python-mnemonic, vectors.json).</summary>
    public static TheoryData<string, string> Vectors() => new()
    {
        { "0000000000000000000000000000000000000000000000000000000000000000", "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art" },
        { "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title" },
        { "8080808080808080808080808080808080808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless" },
        { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote" },
        { "00ac97c48106f0aeb8ba061e0250a559b3251dc35854e694780ba51d53a50120", "absent gorilla van acoustic humor firm title dolphin bulk barely citizen recall crane moment aspect appear track phrase actual enforce steel spoon afraid benefit" },
        { "3edc83b60740d77af3afa2fcb82c2f1bc541ee4e2518ddef4996d32453f54a3c", "disagree tomato unique attend aspect runway solid violin witness scrap armed daring favorite warm decade perfect target kid grant play early wide cigar night" },
        { "89bb4bc5555992cdaf3444c5e7ca5a6e9f27efab894f1990bae41be8b2a26ea4", "meadow surge vanish primary odor grocery rubber mass shine dinner notable tag venue water purchase clarify book magic ribbon daughter menu eye ritual orchard" },
        { "911fec0fbd88029f6fa99164896c18d898c9232af18bdcca3e42d53b86493104", "much youth advance kitchen lens exile salt cram goose enter alert raise milk muscle profit cousin system faint mouse price reveal cause series long" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_words_are_those_of_BIP39(string entropy, string words)
    {
        var keys = KeyPair.FromSeed(Convert.FromHexString(entropy));
        Assert.Equal(words, string.Join(' ', RecoveryWords.Of(keys)));
        Assert.Equal(keys.Id, RecoveryWords.Parse(words).Id);
    }

    [Fact]
    public void The_list_is_that_of_BIP39()
    {
        using var stream = typeof(RecoveryWords).Assembly.GetManifestResourceStream("RecoveryWords.txt")!;
        Assert.Equal("2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda", Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    [Fact]
    public void Any_key_is_read_again_however_it_was_written_down()
    {
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 255), 32).ToArbitrary(), static seed =>
        {
            var keys = KeyPair.FromSeed(seed.Select(static value => (byte)value).ToArray());
            var words = RecoveryWords.Of(keys);
            var numbered = string.Join("\n", words.Select(static (word, at) => $"{at + 1}. {word.ToUpperInvariant()}"));
            var shortened = string.Join(", ", words.Select(static word => word[..Math.Min(4, word.Length)]));
            return RecoveryWords.Parse(numbered).Id == keys.Id && RecoveryWords.Parse(shortened).Id == keys.Id;
        }));
    }

    [Fact]
    public void What_is_wrong_is_said()
    {
        var words = RecoveryWords.Of(KeyPair.FromSeed(new byte[32])).ToArray();
        Assert.Contains("There are 23 words", Problem(words[..23]), StringComparison.Ordinal);
        Assert.Contains("more than 24", Problem([.. words, "zoo"]), StringComparison.Ordinal);
        Assert.Contains("Word 2, \"abandonn\"", Problem(["abandon", "abandonn", .. words[2..]]), StringComparison.Ordinal);
        Assert.Contains("Word 1, \"aba\"", Problem(["aba", .. words[1..]]), StringComparison.Ordinal);
        Assert.Contains("do not belong together", Problem(["ability", .. words[1..]]), StringComparison.Ordinal);
        Assert.Contains("There are 0 words", Problem([]), StringComparison.Ordinal);

        static string Problem(IEnumerable<string> words) => Assert.Throws<RecoveryWordsException>(() => RecoveryWords.Parse(string.Join(' ', words))).Message;
    }
}
