namespace PiPub.Appliance.Updates;

/// <summary>Why an update was not taken.</summary>
public enum BundleRefusal
{
    /// <summary>Something else, which its words tell.</summary>
    Other,

    /// <summary>It is not newer than what runs.</summary>
    Downgrade,

    /// <summary>Somebody else signed it.</summary>
    WrongKey,

    /// <summary>It is for another kind of machine.</summary>
    WrongBoard,

    /// <summary>A part of it is missing, or it is no bundle at all.</summary>
    Truncated,

    /// <summary>It is not what was signed.</summary>
    Tampered,

    /// <summary>There is no room for it.</summary>
    NoRoom,

    /// <summary>It could not be fetched.</summary>
    NotFetched,
}

/// <summary>An update was not taken.</summary>
public sealed class BundleRefusedException : Exception
{
    /// <summary>Nothing said.</summary>
    public BundleRefusedException()
    {
    }

    /// <summary>Something else.</summary>
    public BundleRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>Something else, and what led to it.</summary>
    public BundleRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Says why.</summary>
    public BundleRefusedException(BundleRefusal refusal, string message, Exception? innerException = null)
        : base(message, innerException) => Refusal = refusal;

    /// <summary>Why.</summary>
    public BundleRefusal Refusal { get; }

    /// <summary>Reads RAUC's words.</summary>
    /// <remarks>Reference: the messages of RAUC 1.13 and 1.15 and of OpenSSL 3's CMS, as they came for bundles made wrong in each of these ways.</remarks>
    public static BundleRefusedException OfRauc(string words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return new BundleRefusedException(
            Has("Compatible mismatch") ? BundleRefusal.WrongBoard
            : Has("lower than minimum") || Has("min-bundle-version") ? BundleRefusal.Downgrade
            : Has("No space left") ? BundleRefusal.NoRoom
            : Has("Verify error") ? BundleRefusal.WrongKey
            : Has("signature verification failed") || Has("verification failure") || Has("content verify error") ? BundleRefusal.Tampered
            : Has("Invalid bundle format") || Has("exceeds bundle size") || Has("bundle is too small") || Has("Unexpected end") ? BundleRefusal.Truncated
            : Has("Input/output error") || Has("verity") || Has("hash mismatch") || Has("checksum") || Has("Structure needs cleaning") ? BundleRefusal.Tampered
            : BundleRefusal.Other,
            words);

        bool Has(string text) => words.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
