using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Storage.State;
using PiPub.Web.Access;

namespace PiPub.Composition;

/// <summary>Who comes in to the pages, and by which ways.</summary>
internal sealed partial class BoxDoors : IDisposable
{
    public BoxDoors(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, ILoggerFactory logs, TimeProvider time)
    {
        // How a new owner shows that the box is theirs.
        var code = ClaimFile.Read(options.ClaimFile, out var problem);
        Access = new OwnerAccess(new AccessTable(storage.State), time, new ClaimProof(code ?? new ClaimCode(), networks.IsAtHome, time) { FileProblem = problem });
        if (problem is not null && !Access.IsClaimed)
        {
            NotTheCode(logs.CreateLogger<BoxDoors>(), problem);
        }

        ClaimMethods.Register(node.Methods, Access);
    }

    /// <summary>Who may use the pages.</summary>
    public OwnerAccess Access { get; }

    /// <summary>Adds what the pages ask for.</summary>
    public void AddServices(IServiceCollection services) => services.AddSingleton(Access);

    public void Dispose() => Access.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem} The box is claimed with the code that is printed instead.")]
    private static partial void NotTheCode(ILogger logger, string problem);
}
