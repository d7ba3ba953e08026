using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace PiPub.Scuttlebutt.Cryptography;

/// <summary>
/// The one door to libsodium. SSB was born on NaCl, so its edges (which signatures and points are refused) are
/// libsodium's; every primitive that .NET does not offer with those edges comes from here.
/// </summary>
/// <remarks>
/// Ed25519 (RFC 8032, strict: non-canonical S and small-order keys are refused); X25519 (RFC 7748);
/// crypto_secretbox = XSalsa20-Poly1305, 16-byte MAC first; crypto_auth = HMAC-SHA-512 truncated to 32 bytes;
/// crypto_pwhash = Argon2id (RFC 9106) with one lane; crypto_secretstream = XChaCha20-Poly1305 piece by piece, in order, to a last one.
/// The library is the distribution's libsodium.so.23.
/// </remarks>
public static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>crypto_pwhash_STRBYTES: the text of a hashed password with the zero at its end.</summary>
    private const int PasswordTextBytes = 128;

    /// <summary>Length of an Ed25519 public key, an X25519 key and a secretbox key, in bytes.</summary>
    public const int KeyBytes = 32;

    /// <summary>Length of an Ed25519 secret key (seed followed by public key), in bytes.</summary>
    public const int SecretKeyBytes = 64;

    /// <summary>Length of a detached Ed25519 signature, in bytes.</summary>
    public const int SignatureBytes = 64;

    /// <summary>Length of a Poly1305 MAC, in bytes.</summary>
    public const int MacBytes = 16;

    /// <summary>Length of a secretbox nonce, in bytes.</summary>
    public const int NonceBytes = 24;

    /// <summary>Length of a crypto_auth tag, in bytes.</summary>
    public const int AuthBytes = 32;

    /// <summary>Length of the salt of <see cref="DeriveKey"/>, in bytes.</summary>
    public const int SaltBytes = 16;

    /// <summary>Length of what keeps the place in a secret stream, in bytes.</summary>
    public const int SecretStreamStateBytes = 52;

    /// <summary>Length of what a secret stream begins with, in bytes.</summary>
    public const int SecretStreamHeaderBytes = 24;

    /// <summary>How many bytes longer a sealed piece of a secret stream is.</summary>
    public const int SecretStreamExtraBytes = 17;

    private const int Argon2Id13 = 2;
    private const byte SecretStreamFinal = 3;

    static Sodium()
    {
        NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, Resolve);
        if (sodium_init() < 0)
        {
            throw new InvalidOperationException("libsodium could not be initialised.");
        }
    }

    /// <summary>Derives an Ed25519 key pair from a 32-byte seed.</summary>
    /// <param name="seed">32 bytes.</param>
    /// <param name="publicKey">Receives 32 bytes.</param>
    /// <param name="secretKey">Receives 64 bytes: seed followed by public key.</param>
    public static void SignKeyPairFromSeed(ReadOnlySpan<byte> seed, Span<byte> publicKey, Span<byte> secretKey)
    {
        Require(seed.Length == 32 && publicKey.Length == KeyBytes && secretKey.Length == SecretKeyBytes);
        fixed (byte* s = seed, pk = publicKey, sk = secretKey)
        {
            _ = crypto_sign_ed25519_seed_keypair(pk, sk, s);
        }
    }

    /// <summary>Signs <paramref name="message"/> with a 64-byte Ed25519 secret key into a 64-byte detached signature.</summary>
    public static void Sign(ReadOnlySpan<byte> message, ReadOnlySpan<byte> secretKey, Span<byte> signature)
    {
        Require(secretKey.Length == SecretKeyBytes && signature.Length == SignatureBytes);
        fixed (byte* m = message, sk = secretKey, sig = signature)
        {
            _ = crypto_sign_ed25519_detached(sig, null, m, (ulong)message.Length, sk);
        }
    }

    /// <summary>Tells whether a 64-byte detached Ed25519 signature over <paramref name="message"/> is valid.</summary>
    public static bool Verify(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message, ReadOnlySpan<byte> publicKey)
    {
        Require(signature.Length == SignatureBytes && publicKey.Length == KeyBytes);
        fixed (byte* m = message, pk = publicKey, sig = signature)
        {
            return crypto_sign_ed25519_verify_detached(sig, m, (ulong)message.Length, pk) == 0;
        }
    }

    /// <summary>Converts an Ed25519 public key to X25519; false for small-order or invalid points.</summary>
    public static bool TryToCurvePublicKey(ReadOnlySpan<byte> ed25519, Span<byte> curve25519)
    {
        Require(ed25519.Length == KeyBytes && curve25519.Length == KeyBytes);
        fixed (byte* e = ed25519, c = curve25519)
        {
            return crypto_sign_ed25519_pk_to_curve25519(c, e) == 0;
        }
    }

    /// <summary>Converts a 64-byte Ed25519 secret key to its 32-byte X25519 secret key.</summary>
    public static void ToCurveSecretKey(ReadOnlySpan<byte> ed25519, Span<byte> curve25519)
    {
        Require(ed25519.Length == SecretKeyBytes && curve25519.Length == KeyBytes);
        fixed (byte* e = ed25519, c = curve25519)
        {
            _ = crypto_sign_ed25519_sk_to_curve25519(c, e);
        }
    }

    /// <summary>The X25519 public key of a 32-byte secret key.</summary>
    public static void CurvePublicKey(ReadOnlySpan<byte> secretKey, Span<byte> publicKey)
    {
        Require(secretKey.Length == KeyBytes && publicKey.Length == KeyBytes);
        fixed (byte* s = secretKey, p = publicKey)
        {
            _ = crypto_scalarmult_curve25519_base(p, s);
        }
    }

    /// <summary>X25519 shared secret; false when it is all zero (a small-order point), which must end the handshake.</summary>
    public static bool TrySharedSecret(ReadOnlySpan<byte> secretKey, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        Require(secretKey.Length == KeyBytes && publicKey.Length == KeyBytes && shared.Length == KeyBytes);
        fixed (byte* s = secretKey, p = publicKey, q = shared)
        {
            return crypto_scalarmult_curve25519(q, s, p) == 0;
        }
    }

    /// <summary>
    /// Secretbox with the MAC kept apart. <paramref name="cipher"/> has the plaintext's length and may be the same memory.
    /// </summary>
    public static void SecretBox(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key, Span<byte> mac, Span<byte> cipher)
    {
        Require(nonce.Length == NonceBytes && key.Length == KeyBytes && mac.Length == MacBytes && cipher.Length == plaintext.Length);
        fixed (byte* m = plaintext, n = nonce, k = key, a = mac, c = cipher)
        {
            _ = crypto_secretbox_detached(c, a, m, (ulong)plaintext.Length, n, k);
        }
    }

    /// <summary>
    /// Opens a secretbox whose MAC is kept apart; false when the MAC does not fit. <paramref name="plaintext"/> has the
    /// cipher's length and may be the same memory.
    /// </summary>
    public static bool TryOpenSecretBox(ReadOnlySpan<byte> mac, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key, Span<byte> plaintext)
    {
        Require(nonce.Length == NonceBytes && key.Length == KeyBytes && mac.Length == MacBytes && cipher.Length == plaintext.Length);
        fixed (byte* m = plaintext, n = nonce, k = key, a = mac, c = cipher)
        {
            return crypto_secretbox_open_detached(m, c, a, (ulong)cipher.Length, n, k) == 0;
        }
    }

    /// <summary>crypto_auth: HMAC-SHA-512 truncated to 32 bytes, with a 32-byte key.</summary>
    public static void Auth(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> tag)
    {
        Require(key.Length == KeyBytes && tag.Length == AuthBytes);
        fixed (byte* m = message, k = key, t = tag)
        {
            _ = crypto_auth_hmacsha512256(t, m, (ulong)message.Length, k);
        }
    }

    /// <summary>Checks a crypto_auth tag in constant time.</summary>
    public static bool VerifyAuth(ReadOnlySpan<byte> tag, ReadOnlySpan<byte> message, ReadOnlySpan<byte> key)
    {
        Require(key.Length == KeyBytes && tag.Length == AuthBytes);
        fixed (byte* m = message, k = key, t = tag)
        {
            return crypto_auth_hmacsha512256_verify(t, m, (ulong)message.Length, k) == 0;
        }
    }

    /// <summary>
    /// Makes of a password what may be written down: an Argon2id text with its salt and costs (RFC 9106). It takes
    /// <paramref name="memory"/> bytes for as long as it lasts.
    /// </summary>
    /// <param name="password">UTF-8, of any length.</param>
    /// <param name="passes">How often the memory is gone through; 1 or more.</param>
    /// <param name="memory">Bytes of memory it takes, 8,192 or more.</param>
    /// <exception cref="InvalidOperationException">The memory is not there.</exception>
    public static string HashPassword(ReadOnlySpan<byte> password, int passes, int memory)
    {
        Span<byte> text = stackalloc byte[PasswordTextBytes];
        fixed (byte* t = text, p = password)
        {
            if (crypto_pwhash_str(t, p, (ulong)password.Length, (ulong)passes, (nuint)memory) != 0)
            {
                throw new InvalidOperationException("There is not enough memory to make a hash of the password.");
            }
        }

        return Encoding.ASCII.GetString(text[..text.IndexOf((byte)0)]);
    }

    /// <summary>Checks a password against what <see cref="HashPassword"/> made, at the costs that are written there.</summary>
    public static bool VerifyPassword(string hash, ReadOnlySpan<byte> password)
    {
        ArgumentNullException.ThrowIfNull(hash);
        Span<byte> text = stackalloc byte[PasswordTextBytes];
        text.Clear();
        if (hash.Length >= PasswordTextBytes || Encoding.ASCII.GetBytes(hash, text) != hash.Length)
        {
            return false;
        }

        fixed (byte* t = text, p = password)
        {
            return crypto_pwhash_str_verify(t, p, (ulong)password.Length) == 0;
        }
    }

    /// <summary>
    /// Makes a key of a password with Argon2id (RFC 9106), one lane. It takes <paramref name="memory"/> bytes for as long as it lasts.
    /// </summary>
    /// <param name="password">UTF-8, of any length.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="passes">How often the memory is gone through; 1 or more.</param>
    /// <param name="memory">Bytes of memory it takes, 8,192 or more.</param>
    /// <param name="key">Receives 16 bytes or more.</param>
    /// <exception cref="InvalidOperationException">The memory is not there.</exception>
    public static void DeriveKey(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int passes, long memory, Span<byte> key)
    {
        Require(salt.Length == SaltBytes && key.Length >= 16);
        fixed (byte* k = key, p = password, s = salt)
        {
            if (crypto_pwhash(k, (ulong)key.Length, p, (ulong)password.Length, s, (ulong)passes, (nuint)memory, Argon2Id13) != 0)
            {
                throw new InvalidOperationException("There is not enough memory to make a key of the password.");
            }
        }
    }

    /// <summary>Begins a secret stream.</summary>
    /// <param name="state">Receives 52 bytes, which the following calls move on.</param>
    /// <param name="header">Receives 24 random bytes that whoever opens the stream needs.</param>
    /// <param name="key">32 bytes.</param>
    public static void BeginSealing(Span<byte> state, Span<byte> header, ReadOnlySpan<byte> key)
    {
        Require(state.Length == SecretStreamStateBytes && header.Length == SecretStreamHeaderBytes && key.Length == KeyBytes);
        fixed (byte* s = state, h = header, k = key)
        {
            _ = crypto_secretstream_xchacha20poly1305_init_push(s, h, k);
        }
    }

    /// <summary>Seals the next piece of a secret stream into one that is 17 bytes longer.</summary>
    public static void SealNext(Span<byte> state, ReadOnlySpan<byte> piece, bool isLast, Span<byte> @sealed)
    {
        Require(state.Length == SecretStreamStateBytes && @sealed.Length == piece.Length + SecretStreamExtraBytes);
        fixed (byte* s = state, m = piece, c = @sealed)
        {
            _ = crypto_secretstream_xchacha20poly1305_push(s, c, null, m, (ulong)piece.Length, null, 0, isLast ? SecretStreamFinal : (byte)0);
        }
    }

    /// <summary>Begins to open a secret stream.</summary>
    public static void BeginOpening(Span<byte> state, ReadOnlySpan<byte> header, ReadOnlySpan<byte> key)
    {
        Require(state.Length == SecretStreamStateBytes && header.Length == SecretStreamHeaderBytes && key.Length == KeyBytes);
        fixed (byte* s = state, h = header, k = key)
        {
            _ = crypto_secretstream_xchacha20poly1305_init_pull(s, h, k);
        }
    }

    /// <summary>Opens the next piece of a secret stream; false when it is not the next one, or not as it was sealed.</summary>
    public static bool TryOpenNext(Span<byte> state, ReadOnlySpan<byte> @sealed, Span<byte> piece, out bool isLast)
    {
        Require(state.Length == SecretStreamStateBytes && @sealed.Length >= SecretStreamExtraBytes && piece.Length == @sealed.Length - SecretStreamExtraBytes);
        byte tag;
        bool opened;
        fixed (byte* s = state, m = piece, c = @sealed)
        {
            opened = crypto_secretstream_xchacha20poly1305_pull(s, m, null, &tag, c, (ulong)@sealed.Length, null, 0) == 0;
        }

        isLast = opened && tag == SecretStreamFinal;
        return opened;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
        {
            return 0;
        }

        foreach (var candidate in (ReadOnlySpan<string>)["libsodium.so.23", "libsodium.so.26", "libsodium.so", "libsodium"])
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle))
            {
                return handle;
            }
        }

        throw new DllNotFoundException("PiPub needs libsodium, which is not installed. On Debian: apt-get install libsodium23");
    }

    private static void Require(bool lengthsAreRight, [CallerMemberName] string call = "")
    {
        if (!lengthsAreRight)
        {
            throw new ArgumentException($"A key, nonce, tag or signature passed to {call} has the wrong length.", nameof(lengthsAreRight));
        }
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    private static partial int crypto_pwhash_str(byte* text, byte* password, ulong length, ulong passes, nuint memory);

    [LibraryImport(Library)]
    private static partial int crypto_pwhash_str_verify(byte* text, byte* password, ulong length);

    [LibraryImport(Library)]
    private static partial int crypto_pwhash(byte* key, ulong keyLength, byte* password, ulong length, byte* salt, ulong passes, nuint memory, int algorithm);

    [LibraryImport(Library)]
    private static partial int crypto_secretstream_xchacha20poly1305_init_push(byte* state, byte* header, byte* key);

    [LibraryImport(Library)]
    private static partial int crypto_secretstream_xchacha20poly1305_push(byte* state, byte* c, ulong* clen, byte* m, ulong mlen, byte* ad, ulong adlen, byte tag);

    [LibraryImport(Library)]
    private static partial int crypto_secretstream_xchacha20poly1305_init_pull(byte* state, byte* header, byte* key);

    [LibraryImport(Library)]
    private static partial int crypto_secretstream_xchacha20poly1305_pull(byte* state, byte* m, ulong* mlen, byte* tag, byte* c, ulong clen, byte* ad, ulong adlen);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_seed_keypair(byte* pk, byte* sk, byte* seed);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_detached(byte* sig, ulong* siglen, byte* m, ulong mlen, byte* sk);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_verify_detached(byte* sig, byte* m, ulong mlen, byte* pk);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_pk_to_curve25519(byte* curve, byte* ed);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_sk_to_curve25519(byte* curve, byte* ed);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519_base(byte* q, byte* n);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519(byte* q, byte* n, byte* p);

    [LibraryImport(Library)]
    private static partial int crypto_secretbox_detached(byte* c, byte* mac, byte* m, ulong mlen, byte* n, byte* k);

    [LibraryImport(Library)]
    private static partial int crypto_secretbox_open_detached(byte* m, byte* c, byte* mac, ulong clen, byte* n, byte* k);

    [LibraryImport(Library)]
    private static partial int crypto_auth_hmacsha512256(byte* tag, byte* m, ulong mlen, byte* k);

    [LibraryImport(Library)]
    private static partial int crypto_auth_hmacsha512256_verify(byte* tag, byte* m, ulong mlen, byte* k);
}
