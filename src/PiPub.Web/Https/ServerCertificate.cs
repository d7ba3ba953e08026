using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace PiPub.Web.Https;

/// <summary>
/// The certificate that the box shows to browsers, in <c>https/server.pem</c> of the data directory. Every connection looks whether it is
/// still good: when its time comes to an end, when the clock was set, or when the box has a name or an address that is not in it,
/// another one is made, in a few milliseconds and without a restart.
/// </summary>
/// <remarks>Valid for 397 days, 31 of which have passed when it is made, for browsers whose clock is behind; renewed 60 days before its end.</remarks>
/// <param name="authority">Who vouches for it.</param>
/// <param name="directory">Where it is kept.</param>
/// <param name="names">The box's names and addresses at the moment. What the authority may not vouch for is left out.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where a failure is told.</param>
public sealed partial class ServerCertificate(CertificateAuthority authority, string directory, Func<IEnumerable<string>> names, TimeProvider time, ILogger<ServerCertificate> logger)
{
    private const string FileName = "server.pem";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(397);
    private static readonly TimeSpan Backdated = TimeSpan.FromDays(31);
    private static readonly TimeSpan RenewedBefore = TimeSpan.FromDays(60);

    /// <summary>Before PiPub was there, no clock is right: a board without a battery begins in 1970.</summary>
    private static readonly DateTimeOffset Earliest = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(directory, FileName);
    private Shown? _shown;

    /// <summary>Who vouches for it.</summary>
    public CertificateAuthority Authority => authority;

    /// <summary>Whether browsers may be sent to the secure address under this name: the certificate is good for it.</summary>
    public bool IsFor(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return Current().Names.Contains(Canonical(host.Trim('[', ']')));
    }

    /// <summary>What Kestrel needs for a connection that begins now.</summary>
    public SslServerAuthenticationOptions ForConnection() => Current().Options;

    /// <summary>The certificate that a connection is shown that begins now.</summary>
    public X509Certificate2 Certificate => Current().Certificate;

    private static string Canonical(string name) => IPAddress.TryParse(name, out var address) ? address.ToString() : name.TrimEnd('.').ToLowerInvariant();

    private Shown Current()
    {
        var now = time.GetUtcNow();
        now = now < Earliest ? Earliest : now;
        var wanted = new List<string>();
        foreach (var name in names())
        {
            if (PermittedNames.Permits(name) && Canonical(name) is var canonical && !wanted.Contains(canonical))
            {
                wanted.Add(canonical);
            }
        }

        lock (_gate)
        {
            _shown ??= Read();
            if (_shown is null || !IsGood(_shown, wanted, now))
            {
                _shown = Make(wanted, now);
            }

            return _shown;
        }
    }

    /// <summary>More names than the box has now do no harm: a cable that is pulled for a moment is no reason to write.</summary>
    private static bool IsGood(Shown shown, List<string> wanted, DateTimeOffset now) =>
        now >= shown.From && now < shown.Until - RenewedBefore && shown.Names.IsSupersetOf(wanted);

    private Shown? Read()
    {
        try
        {
            return CertificateFile.Read(_path) is { } kept && authority.Issued(kept) ? new Shown(kept) : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // It is made again.
            return null;
        }
    }

    private Shown Make(List<string> wanted, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var from = now - Backdated;
        using var issued = authority.Issue(wanted, from, from + Lifetime - TimeSpan.FromSeconds(1), key);
        try
        {
            CertificateFile.Write(_path, issued, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotKept(e.Message);
        }

        Made(wanted);
        return new Shown(issued.CopyWithPrivateKey(key));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A certificate for the secure address was made, for {Names}.")]
    private partial void Made(IReadOnlyList<string> names);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The certificate for the secure address could not be written down, so the next start makes another: {Reason}")]
    private partial void NotKept(string reason);

    private sealed class Shown
    {
        public Shown(X509Certificate2 certificate)
        {
            Certificate = certificate;
            (From, Until) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
            var alternatives = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
            if (alternatives is not null)
            {
                Names.UnionWith(alternatives.EnumerateDnsNames().Select(Canonical));
                Names.UnionWith(alternatives.EnumerateIPAddresses().Select(static address => address.ToString()));
            }

            Options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
            };
        }

        public X509Certificate2 Certificate { get; }

        public DateTimeOffset From { get; }

        public DateTimeOffset Until { get; }

        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public SslServerAuthenticationOptions Options { get; }
    }
}
