using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.HttpAuth;

/// <summary>The link with which a server's page asks an app to sign its browser in.</summary>
/// <remarks>Source: ssbc/sips 006: <c>ssb:experimental?action=start-http-auth&amp;sid=..&amp;sc=..&amp;multiserverAddress=..</c>, each value percent-encoded.</remarks>
public static class HttpAuthUri
{
    /// <summary>The link.</summary>
    /// <param name="server">Whose page it is on.</param>
    /// <param name="sc">The server's nonce.</param>
    /// <param name="multiserverAddress">Where an app that is not connected with the server finds it; null when that is not known.</param>
    public static string Of(FeedId server, string sc, string? multiserverAddress) =>
        $"ssb:experimental?action=start-http-auth&sid={Uri.EscapeDataString(server.ToString())}&sc={Uri.EscapeDataString(sc)}"
        + (multiserverAddress is null ? "" : $"&multiserverAddress={Uri.EscapeDataString(multiserverAddress)}");
}
