using Microsoft.AspNetCore.Http;
using PiPub.Storage.State;

namespace PiPub.Web.Https;

/// <summary>The way to the pages that nobody on the network reads along: whether there is one, where, and whether it is the only one.</summary>
/// <param name="certificate">What the box shows to browsers; null when it has no secure address.</param>
/// <param name="table">Where the owner's choice is kept.</param>
public sealed class SecureConnection(ServerCertificate? certificate, AccessTable table)
{
    private const string AlwaysChoice = "https-always";

    private volatile bool _isAlways = table.Choice(AlwaysChoice);

    /// <summary>The port that is listened on; null when there is no secure address. Known once that has begun.</summary>
    public int? Port { get; set; }

    /// <summary>Who vouches for the box; null when there is no secure address.</summary>
    public CertificateAuthority? Authority => Port is null ? null : certificate?.Authority;

    /// <summary>What the box shows to browsers; null when it has no secure address.</summary>
    public ServerCertificate? Certificate => certificate;

    /// <summary>Whether browsers that ask by HTTP are sent to the secure address: only ever by the owner's wish, and while there is one.</summary>
    public bool IsAlways => _isAlways && Port is not null;

    /// <summary>Sets whether browsers are sent to the secure address.</summary>
    public void SetAlways(bool always)
    {
        table.SetChoice(AlwaysChoice, always);
        _isAlways = always;
    }

    /// <summary>The secure address of the same box, for whoever came to <paramref name="host"/>; null when there is none.</summary>
    public string? AddressFor(HostString host) => AddressFor(host.Host);

    /// <summary>The secure address of the same box, for whoever came to <paramref name="host"/>; null when there is none.</summary>
    public string? AddressFor(string host) => Port is { } port ? $"https://{host}{(port == 443 ? "" : $":{port}")}/" : null;

    /// <summary>Whether a browser may be sent on: there is a secure address, and it is good under this name.</summary>
    public bool IsFor(HostString host) => Port is not null && certificate!.IsFor(host.Host);
}
