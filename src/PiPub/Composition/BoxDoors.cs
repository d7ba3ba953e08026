using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.HttpAuth;
using PiPub.Node.Invites;
using PiPub.Storage.State;
using PiPub.Web.Access;
using PiPub.Web.Https;
using PiPub.Web.Invites;

namespace PiPub.Composition;

/// <summary>Who comes in to the pages, and by which ways.</summary>
internal sealed partial class BoxDoors : IDisposable
{
    public BoxDoors(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, InviteAddresses addresses, bool hasCardProblems, ILoggerFactory logs, TimeProvider time)
    {
        // How a new owner shows that the box is theirs.
        var code = ClaimFile.Read(options.ClaimFile, out var problem);
        var table = new AccessTable(storage.State);
        Access = new OwnerAccess(table, time, new ClaimProof(code ?? new ClaimCode(), networks.IsAtHome, time) { FileProblem = problem, HasCardProblems = hasCardProblems });
        if (problem is not null && !Access.IsClaimed)
        {
            NotTheCode(logs.CreateLogger<BoxDoors>(), problem);
        }

        // The button of a box that has its owner.
        var box = storage.Identity.Id;
        Pairing = new Pairing(node.Invitations, box, networks.IsAtHome, time);
        ClaimMethods.Register(node.Methods, Access, Press);

        // The owner's app in place of the password.
        App = new AppSignIn(
            Access,
            table,
            isOn =>
            {
                var auth = new HttpAuthentication(box, () => node.Owner.Owner, node.Peers, new HttpAuthChallenges(time), time) { IsOn = isOn };
                auth.Register(node.Methods);
                return auth;
            },
            from => ((networks.IsAtHome(from) ? addresses.AddressOf(box, "local") : null) ?? addresses.AddressOf(box, null))?.Split(';')[0]);

        // The secure address, which the box vouches for itself.
        Secure = new SecureConnection(options.HttpsPort is null ? null : Certificate(options, storage, node, networks, logs, time), table);
    }

    /// <summary>Who may use the pages.</summary>
    public OwnerAccess Access { get; }

    /// <summary>Connecting an app by the button.</summary>
    public Pairing Pairing { get; }

    /// <summary>Signing in with the owner's app.</summary>
    public AppSignIn App { get; }

    /// <summary>The way to the pages by HTTPS.</summary>
    public SecureConnection Secure { get; }

    /// <summary>Adds what the pages ask for.</summary>
    public void AddServices(IServiceCollection services)
    {
        services.AddSingleton(Access);
        services.AddSingleton(Pairing);
        services.AddSingleton(App);
        services.AddSingleton(Secure);
    }

    /// <summary>A short press of the button: a new box can be claimed, an app be connected to another one.</summary>
    public void Press()
    {
        if (Access.IsClaimed)
        {
            Pairing.Press();
        }
        else
        {
            Access.Proof.Press();
        }
    }

    public void Dispose() => Access.Dispose();

    private static ServerCertificate? Certificate(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, ILoggerFactory logs, TimeProvider time)
    {
        var directory = Path.Combine(storage.Directory.Path, "https");
        try
        {
            return new ServerCertificate(CertificateAuthority.ReadOrCreate(directory), directory, Names, time, logs.CreateLogger<ServerCertificate>());
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // The pages by HTTP go on. Another authority is not made in its place: devices trust the one that there was.
            NoCertificate(logs.CreateLogger<BoxDoors>(), e.Message.TrimEnd('.'), directory);
            return null;
        }

        IEnumerable<string> Names() =>
        [
            options.HostName + ".local",
            .. node.HostName() is { } name ? [name] : (ReadOnlySpan<string>)[],
            "localhost", "127.0.0.1", "::1",
            .. networks.Addresses(),
            .. options.PublicHosts,
        ];
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The box has no secure address: {Problem}. Remove {Directory} to have another authority made, which every device has to trust anew.")]
    private static partial void NoCertificate(ILogger logger, string problem, string directory);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem} The box is claimed with the code that is printed instead.")]
    private static partial void NotTheCode(ILogger logger, string problem);
}
