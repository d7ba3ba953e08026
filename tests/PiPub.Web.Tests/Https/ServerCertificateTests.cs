using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Web.Https;

namespace PiPub.Web.Tests.Https;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-https").FullName;
    private readonly PlayedTime _time = new();
    private readonly List<string> _names = ["pipub.local", "localhost", "127.0.0.1", "::1", "192.168.1.10", "fd00::10"];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Whoever_trusts_the_authority_trusts_the_box_under_its_names_and_addresses_and_no_others()
    {
        var shown = Server();
        Assert.Equal("", Judge(shown.Certificate, shown.Authority));
        foreach (var name in _names)
        {
            Assert.True(shown.Certificate.MatchesHostname(name, allowWildcards: false, allowCommonName: false), name);
            Assert.True(shown.IsFor(name), name);
        }

        Assert.True(shown.IsFor("PiPub.local."));
        Assert.True(shown.IsFor("[fd00:0::10]"));
        Assert.False(shown.IsFor("other.local"));
        Assert.False(shown.Certificate.MatchesHostname("other.local"));
        using var stranger = new Elsewhere();
        Assert.NotEqual("", Judge(shown.Certificate, stranger.Authority));
    }

    [Fact]
    public void It_is_as_browsers_want_certificates()
    {
        var shown = Server();
        var certificate = shown.Certificate;
        Assert.True(certificate.NotAfter - certificate.NotBefore <= TimeSpan.FromDays(397));
        Assert.True(certificate.NotBefore.ToUniversalTime() <= _time.GetUtcNow().UtcDateTime.AddDays(-30));
        Assert.Equal("1.2.840.10045.2.1", certificate.PublicKey.Oid.Value);
        Assert.Equal("1.3.6.1.5.5.7.3.1", Assert.Single(certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>()).Value);
        var authority = shown.Authority.Certificate;
        Assert.False(authority.HasPrivateKey);
        Assert.True(authority.Extensions.OfType<X509BasicConstraintsExtension>().Single() is { CertificateAuthority: true, Critical: true, PathLengthConstraint: 0 });
        Assert.Equal(Convert.ToHexString(SHA256.HashData(authority.RawData)), shown.Authority.Fingerprint.Replace(":", "", StringComparison.Ordinal));
        Assert.Equal(95, shown.Authority.Fingerprint.Length);
    }

    [Fact]
    public void What_is_outside_of_a_home_is_never_vouched_for()
    {
        _names.AddRange(["pub.example", "203.0.113.5", "2001:db8::5", "local.example", "notlocal"]);
        var shown = Server();
        Assert.False(shown.IsFor("pub.example"));
        Assert.False(shown.IsFor("203.0.113.5"));
        Assert.Equal("", Judge(shown.Certificate, shown.Authority));

        // Not even by whoever has stolen the key: the certificate itself says so.
        foreach (var name in (string[])["bank.example", "203.0.113.5", "notlocal", "2001:db8::5"])
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var forged = shown.Authority.Issue([name], _time.GetUtcNow().AddDays(-1), _time.GetUtcNow().AddDays(1), key);
            Assert.Contains(nameof(X509ChainStatusFlags.HasNotPermittedNameConstraint), Judge(forged, shown.Authority), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_next_start_goes_on_with_both_and_keys_are_their_users_alone()
    {
        var first = Server();
        var (authority, certificate) = (first.Authority.Fingerprint, first.Certificate.Thumbprint);
        var again = Server();
        Assert.Equal(authority, again.Authority.Fingerprint);
        Assert.Equal(certificate, again.Certificate.Thumbprint);
        foreach (var file in (string[])["authority.pem", "server.pem"])
        {
            Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(Path.Combine(_directory, file)));
        }
    }

    [Fact]
    public void It_is_renewed_in_good_time_and_without_a_restart()
    {
        var shown = Server();
        var first = shown.Certificate;
        _time.Advance(TimeSpan.FromDays(300));
        Assert.Same(first, shown.Certificate);
        _time.Advance(TimeSpan.FromDays(10));
        var second = shown.Certificate;
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.True(first.NotAfter.ToUniversalTime() > _time.GetUtcNow().UtcDateTime.AddDays(30));
        Assert.Equal("", Judge(second, shown.Authority));
        Assert.Equal(second.Thumbprint, Server().Certificate.Thumbprint);
    }

    [Fact]
    public void A_new_name_or_address_is_in_it_at_once_and_one_that_went_makes_no_new_one()
    {
        var shown = Server();
        var first = shown.Certificate;
        Assert.False(shown.IsFor("10.0.0.7"));
        _names.Add("10.0.0.7");
        Assert.True(shown.IsFor("10.0.0.7"));
        var second = shown.Certificate;
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        _ = _names.Remove("10.0.0.7");
        Assert.Same(second, shown.Certificate);
    }

    [Theory]
    [InlineData(1970)]
    [InlineData(2040)]
    public void A_box_whose_clock_was_wrong_at_first_has_a_good_one_when_it_is_right(int wrongYear)
    {
        var right = _time.GetUtcNow().AddYears(1);
        _time.Set(new DateTimeOffset(wrongYear, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var shown = Server();
        var first = shown.Certificate;
        _time.Set(right);
        Assert.Equal("", Judge(shown.Certificate, shown.Authority));
        Assert.NotEqual(first.Thumbprint, shown.Certificate.Thumbprint);
    }

    [Fact]
    public void A_damaged_authority_is_not_replaced_but_told_of_and_a_damaged_certificate_is_made_again()
    {
        var first = Server();
        _ = first.Certificate;
        Damage("server.pem");
        Assert.Equal("", Judge(Server().Certificate, first.Authority));
        Damage("authority.pem");
        var told = Assert.Throws<InvalidDataException>(() => CertificateAuthority.ReadOrCreate(_directory));
        Assert.Contains("authority.pem", told.Message, StringComparison.Ordinal);

        // Where it was removed on purpose there is another, and nothing that the old one vouched for.
        File.Delete(Path.Combine(_directory, "authority.pem"));
        var other = Server();
        Assert.NotEqual(first.Authority.Fingerprint, other.Authority.Fingerprint);
        Assert.Equal("", Judge(other.Certificate, other.Authority));
    }

    private void Damage(string file)
    {
        var path = Path.Combine(_directory, file);
        File.Delete(path);
        File.WriteAllText(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    }

    private ServerCertificate Server() =>
        new(CertificateAuthority.ReadOrCreate(_directory), _directory, () => _names, _time, NullLogger<ServerCertificate>.Instance);

    /// <summary>What is wrong with a certificate in the eyes of somebody who trusts an authority; empty when nothing is.</summary>
    private string Judge(X509Certificate2 certificate, CertificateAuthority trusted)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(trusted.Certificate);
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate) ? "" : string.Join(' ', chain.ChainStatus.Select(static status => status.Status));
    }

    /// <summary>Somebody else's authority.</summary>
    private sealed class Elsewhere : IDisposable
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("pipub-https").FullName;

        public Elsewhere() => Authority = CertificateAuthority.ReadOrCreate(_directory);

        public CertificateAuthority Authority { get; }

        public void Dispose() => Directory.Delete(_directory, recursive: true);
    }
}
