using System.Security.Cryptography;
using PiPub.Scuttlebutt.Cryptography;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// An identity with its secret: what writes a feed and proves who speaks on a connection.
/// </summary>
/// <remarks>Ed25519: 32-byte seed, 32-byte public key, 64-byte secret key (seed followed by public key).
/// Source: SSB protocol guide, Keys and identities; ssb-keys.</remarks>
public sealed class KeyPair
{
    private readonly byte[] _secretKey;

    private KeyPair(FeedId id, byte[] secretKey)
    {
        Id = id;
        _secretKey = secretKey;
    }

    /// <summary>The public half, as the id of the feed that it writes.</summary>
    public FeedId Id { get; }

    /// <summary>The 64-byte secret key. Handle as what it is.</summary>
    public ReadOnlySpan<byte> SecretKey => _secretKey;

    /// <summary>The 32-byte seed that the pair grows from: the part an invite code carries.</summary>
    public ReadOnlySpan<byte> Seed => _secretKey.AsSpan(0, 32);

    /// <summary>A new pair from the system's random numbers.</summary>
    public static KeyPair Generate()
    {
        Span<byte> seed = stackalloc byte[32];
        RandomNumberGenerator.Fill(seed);
        var pair = FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return pair;
    }

    /// <summary>The pair that a 32-byte seed stands for.</summary>
    /// <exception cref="ArgumentException">The seed is not 32 bytes long.</exception>
    public static KeyPair FromSeed(ReadOnlySpan<byte> seed)
    {
        var secretKey = new byte[Sodium.SecretKeyBytes];
        Span<byte> publicKey = stackalloc byte[Sodium.KeyBytes];
        Sodium.SignKeyPairFromSeed(seed, publicKey, secretKey);
        return new KeyPair(new FeedId(publicKey), secretKey);
    }

    /// <summary>Signs a message into a 64-byte detached signature.</summary>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature) => Sodium.Sign(message, _secretKey, signature);
}
