using System.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Addresses;

/// <summary>
/// SSB URIs of classic feeds and messages, blobs and multiserver addresses: links that a browser or an app opens.
/// </summary>
/// <remarks>
/// <para>Sources: SIP 001 (SSB URIs); ssb-uri2 2.4.1.</para>
/// <para>Written as <c>ssb:type/format/data</c>; <c>ssb://type/format/data</c> and <c>ssb:type:format:data</c> are read too,
/// and the older format names ed25519 and sha256. Data are 32 bytes in URL-safe base64 with padding, 44 characters.</para>
/// </remarks>
public static class SsbUri
{
    private const string AddressParameter = "multiserverAddress=";

    /// <summary>The URI of a feed.</summary>
    public static string Of(FeedId feed) => "ssb:feed/classic/" + Encode(feed.AsSpan());

    /// <summary>The URI of a message.</summary>
    public static string Of(MessageId message) => "ssb:message/classic/" + Encode(message.AsSpan());

    /// <summary>The URI of a blob.</summary>
    public static string Of(BlobId blob) => "ssb:blob/classic/" + Encode(blob.AsSpan());

    /// <summary>The URI of an address, without the seed of an invite.</summary>
    public static string Of(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return "ssb:address/multiserver?" + AddressParameter + Uri.EscapeDataString(address.ToString());
    }

    /// <summary>Reads the URI of a classic feed.</summary>
    public static bool TryReadFeed(ReadOnlySpan<char> uri, out FeedId feed)
    {
        var ok = TryReadData(uri, "feed", "ed25519", out var bytes);
        feed = new FeedId(bytes);
        return ok;
    }

    /// <summary>Reads the URI of a classic message.</summary>
    public static bool TryReadMessage(ReadOnlySpan<char> uri, out MessageId message)
    {
        var ok = TryReadData(uri, "message", "sha256", out var bytes);
        message = new MessageId(bytes);
        return ok;
    }

    /// <summary>Reads the URI of a blob; what stands behind a <c>?</c> is left aside.</summary>
    public static bool TryReadBlob(ReadOnlySpan<char> uri, out BlobId blob)
    {
        var ok = TryReadData(uri, "blob", "sha256", out var bytes);
        blob = new BlobId(bytes);
        return ok;
    }

    /// <summary>Reads the URI of an address, which may be a list of alternatives.</summary>
    public static bool TryReadAddresses(ReadOnlySpan<char> uri, out IReadOnlyList<MultiserverAddress> addresses)
    {
        addresses = [];
        var query = uri.IndexOf('?');
        if (query < 0 || uri.Length > MultiserverText.MaxLength || !TrySplit(uri[..query], out var type, out var format, out var rest)
            || !type.SequenceEqual("address") || !format.SequenceEqual("multiserver") || !rest.IsEmpty)
        {
            return false;
        }

        var parameters = uri[(query + 1)..];
        foreach (var range in parameters.Split('&'))
        {
            if (parameters[range].StartsWith(AddressParameter, StringComparison.Ordinal))
            {
                // A '+' stays one: keys have it, and addresses have no space that it could stand for.
                return MultiserverAddress.TryParseList(Uri.UnescapeDataString(parameters[range][AddressParameter.Length..]), out addresses);
            }
        }

        return false;
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_');

    private static bool TryReadData(ReadOnlySpan<char> uri, string wantedType, string olderFormat, out Bytes32 bytes)
    {
        bytes = default;
        var end = uri.IndexOfAny('?', '#');
        if (!TrySplit(end < 0 ? uri : uri[..end], out var type, out var format, out var data)
            || !type.SequenceEqual(wantedType)
            || !(format.SequenceEqual("classic") || format.SequenceEqual(olderFormat))
            || data.Length != SigilText.Base64Length
            || data.ContainsAny('+', '/'))
        {
            return false;
        }

        Span<byte> base64 = stackalloc byte[SigilText.Base64Length];
        if (!Ascii.IsValid(data))
        {
            return false;
        }

        _ = Ascii.FromUtf16(data, base64, out _);
        base64.Replace((byte)'-', (byte)'+');
        base64.Replace((byte)'_', (byte)'/');
        return SigilText.TryDecode(base64, out bytes);
    }

    /// <summary>Takes <c>ssb:</c> off and splits at the two separators, which must be alike.</summary>
    private static bool TrySplit(ReadOnlySpan<char> uri, out ReadOnlySpan<char> type, out ReadOnlySpan<char> format, out ReadOnlySpan<char> rest)
    {
        type = format = rest = default;
        if (!uri.StartsWith("ssb:", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        uri = uri[4..];
        if (uri.StartsWith("//"))
        {
            uri = uri[2..];
        }

        var first = uri.IndexOfAny('/', ':');
        if (first < 0)
        {
            return false;
        }

        var separator = uri[first];
        type = uri[..first];
        uri = uri[(first + 1)..];
        var second = uri.IndexOf(separator);
        format = second < 0 ? uri : uri[..second];
        rest = second < 0 ? default : uri[(second + 1)..];
        return true;
    }
}
