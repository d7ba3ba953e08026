using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PiPub.Web.Https;

/// <summary>
/// The box's own certificate authority, in <c>https/authority.pem</c> of the data directory. Nobody else can vouch for names like
/// <c>pipub.local</c>; who trusts it, once, gets secure connections to this box without a warning.
/// </summary>
/// <remarks>
/// Sources: RFC 5280; CA/Browser Forum, baseline requirements (server certificates of at most 398 days, names as subject alternative names).
/// ECDSA on P-256 with SHA-256. Valid from 2020 to the end of 2049, whatever the box's clock says: a Pi has none that goes on while it is
/// off. Serial numbers are 16 random bytes. What it may vouch for: <see cref="PermittedNames"/>.
/// </remarks>
public sealed class CertificateAuthority
{
    private const string FileName = "authority.pem";
    private const int SerialBytes = 16;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2049, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private readonly string _path;
    private readonly X509SubjectKeyIdentifierExtension _keyId;

    private CertificateAuthority(string path, X509Certificate2 certificate)
    {
        _path = path;
        Certificate = X509CertificateLoader.LoadCertificate(certificate.RawData);
        _keyId = Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()
            ?? throw new InvalidDataException($"{path} is not a certificate authority of PiPub.");
        var digits = Convert.ToHexString(SHA256.HashData(certificate.RawData));
        Fingerprint = string.Join(':', digits.Chunk(2).Select(static pair => new string(pair)));
    }

    /// <summary>Its certificate, without the key. Public.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>SHA-256 of the certificate as people compare it: 32 pairs of digits with colons between them.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads the box's authority, and makes one when there is none.</summary>
    /// <param name="directory">Where it is kept; made if it is missing.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static CertificateAuthority ReadOrCreate(string directory)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = Path.Combine(directory, FileName);
        using var kept = CertificateFile.Read(path);
        if (kept is not null)
        {
            return new CertificateAuthority(path, kept);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Create(key);
        CertificateFile.Write(path, certificate, key);
        return new CertificateAuthority(path, certificate);
    }

    /// <summary>Whether a certificate was issued by this authority.</summary>
    internal bool Issued(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } issuer
        && issuer.Span.SequenceEqual(_keyId.SubjectKeyIdentifierBytes.Span);

    /// <summary>Issues a server certificate. The authority's key is read for this alone, and forgotten.</summary>
    /// <param name="names">Names and addresses, at least one. One that the authority may not vouch for makes the whole certificate worth nothing.</param>
    /// <param name="from">Valid from then.</param>
    /// <param name="until">Valid until then.</param>
    /// <param name="key">The server's key.</param>
    /// <exception cref="InvalidDataException">The authority's file is gone or damaged.</exception>
    public X509Certificate2 Issue(IReadOnlyList<string> names, DateTimeOffset from, DateTimeOffset until, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(names);
        using var authority = CertificateFile.Read(_path) ?? throw new InvalidDataException($"{_path} is gone.");
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        var request = new CertificateRequest(Name(names[0]), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(_keyId));
        return request.Create(authority, from, until, Serial());
    }

    private static X509Certificate2 Create(ECDsa key)
    {
        // A few digits of its own, for whoever trusts two boxes and looks through a list.
        var digits = Convert.ToHexString(SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, 4));
        var request = new CertificateRequest(Name($"PiPub box {digits}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(PermittedNames.ToExtension());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), From, Until, Serial());
    }

    private static X500DistinguishedName Name(string text)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(text);
        return name.Build();
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }
}
