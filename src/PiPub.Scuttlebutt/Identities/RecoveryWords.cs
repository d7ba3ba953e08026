using System.Security.Cryptography;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// A key pair as 24 English words, to be written down on paper: the 32-byte seed and a checksum of 8 bits.
/// </summary>
/// <remarks>
/// Source: BIP-39, "Generating the mnemonic", for 256 bits of entropy: the seed's bits are followed by the first byte of its
/// SHA-256, and each 11 bits are a word of a list of 2,048. The entropy is the seed itself; BIP-39's derivation of a wallet's
/// seed is not used. No two words of the list begin with the same four letters, so four are enough to read one.
/// </remarks>
public static class RecoveryWords
{
    /// <summary>How many words a key pair has.</summary>
    public const int Count = 24;

    private const int SeedBytes = 32;
    private const int BitsPerWord = 11;
    private const int ShortestPrefix = 4;

    private static readonly string[] List = Load();

    /// <summary>The words of a key pair.</summary>
    public static IReadOnlyList<string> Of(KeyPair keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Span<byte> bytes = stackalloc byte[SeedBytes + 1];
        keys.Seed.CopyTo(bytes);
        bytes[SeedBytes] = Checksum(keys.Seed);
        var words = new string[Count];
        for (var i = 0; i < Count; i++)
        {
            var number = 0;
            for (var bit = i * BitsPerWord; bit < (i + 1) * BitsPerWord; bit++)
            {
                number = (number << 1) | ((bytes[bit / 8] >> (7 - (bit % 8))) & 1);
            }

            words[i] = List[number];
        }

        CryptographicOperations.ZeroMemory(bytes);
        return words;
    }

    /// <summary>Reads the words of a key pair: in any case, with anything that is no letter between them, each whole or its first four letters.</summary>
    /// <exception cref="RecoveryWordsException">They are not 24, one is not in the list, or the checksum is wrong; the message says which.</exception>
    public static KeyPair Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> bytes = stackalloc byte[SeedBytes + 1];
        bytes.Clear();
        var count = 0;
        for (var at = 0; at < text.Length;)
        {
            var start = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
            {
                at++;
            }

            if (at == start)
            {
                at++;
                continue;
            }

            if (count == Count)
            {
                throw new RecoveryWordsException(RecoveryWordsFault.TooMany, count, "");
            }

            var word = text[start..at].ToLowerInvariant();
            var number = NumberOf(word);
            if (number < 0)
            {
                throw new RecoveryWordsException(RecoveryWordsFault.UnknownWord, count + 1, word.Length > 20 ? word[..20] : word);
            }

            for (var bit = 0; bit < BitsPerWord; bit++)
            {
                var place = (count * BitsPerWord) + bit;
                bytes[place / 8] |= (byte)(((number >> (BitsPerWord - 1 - bit)) & 1) << (7 - (place % 8)));
            }

            count++;
        }

        if (count < Count)
        {
            throw new RecoveryWordsException(RecoveryWordsFault.TooFew, count, "");
        }

        if (Checksum(bytes[..SeedBytes]) != bytes[SeedBytes])
        {
            throw new RecoveryWordsException(RecoveryWordsFault.Checksum, count, "");
        }

        var keys = KeyPair.FromSeed(bytes[..SeedBytes]);
        CryptographicOperations.ZeroMemory(bytes);
        return keys;
    }

    private static int NumberOf(string word)
    {
        var number = Array.BinarySearch(List, word, StringComparer.Ordinal);
        if (number >= 0 || word.Length < ShortestPrefix)
        {
            return number;
        }

        var next = ~number;
        return next < List.Length && word.Length == ShortestPrefix && List[next].StartsWith(word, StringComparison.Ordinal) ? next : -1;
    }

    private static byte Checksum(ReadOnlySpan<byte> seed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(seed, hash);
        return hash[0];
    }

    private static string[] Load()
    {
        using var stream = typeof(RecoveryWords).Assembly.GetManifestResourceStream("RecoveryWords.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
