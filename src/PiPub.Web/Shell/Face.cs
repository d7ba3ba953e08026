using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Storage;
using PiPub.Web.Access;
using PiPub.Web.Assets;
using PiPub.Web.Backups;
using PiPub.Web.Dashboard;
using PiPub.Web.Https;
using PiPub.Web.Import;
using PiPub.Web.Language;
using PiPub.Web.Machines;
using PiPub.Web.People;
using PiPub.Web.Settings;

namespace PiPub.Web.Shell;

/// <summary>The box's face: the pages that people see, and what they stand on.</summary>
/// <remarks>
/// Every page and every endpoint needs the owner, unless it says AllowAnonymous: the assets, the pages for claiming the box and for
/// signing in, and the landing page of an invite. Those are plain pages; only the owner's are live (a circuit each).
/// </remarks>
public static class Face
{
    private const int MaxMessageFromBrowser = 64 * 1024;

    /// <summary>Adds what the pages need.</summary>
    /// <param name="services">The web server's services; what the pages show must be among them, too.</param>
    /// <param name="keys">A directory for the keys that forms are protected with.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The assemblies of pages and components are kept whole (TrimmerRootAssembly).")]
    public static void AddFace(this IServiceCollection services, DirectoryInfo keys)
    {
        services.AddDataProtection().SetApplicationName("PiPub").PersistKeysToFileSystem(keys);
        services.AddHttpContextAccessor();
        services.AddAntiforgery();
        services.AddOptions<AntiforgeryOptions>().Configure<IHttpContextAccessor>(static (options, requests) =>
        {
            options.Cookie = new FormCookie(requests);
            options.SuppressXFrameOptionsHeader = true;
        });
        services.AddAuthentication(SessionAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, SessionAuthentication>(SessionAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        services.AddLocalization();
        services.AddSingleton<OpenPages>();
        services.AddScoped<CircuitHandler, SessionPage>();
        services.AddRazorComponents()
            .AddInteractiveServerComponents(static circuits =>
            {
                circuits.DisconnectedCircuitMaxRetained = 8;
                circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);

                // A page that stays away longer is loaded again: nothing is put by for it.
                circuits.PersistedCircuitInMemoryMaxRetained = 0;
            })
            .AddHubOptions(static hub => hub.MaximumReceiveMessageSize = MaxMessageFromBrowser);
    }

    /// <summary>Serves the pages.</summary>
    public static void MapFace(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use(app.Services.GetRequiredService<HostNames>().CheckAsync);
        app.Use(SecurityHeaders.AddAsync);
        var secure = app.Services.GetRequiredService<SecureConnection>();
        app.Use((context, next) => SecureRedirect.SendOnAsync(context, next, secure));
        app.UseRequestLocalization(Languages.Options());
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapEmbeddedAssets();
        app.MapPictures(app.Services.GetRequiredService<IBlobStore>());
        app.MapAccess(app.Services.GetRequiredService<OwnerAccess>());
        app.MapAppSignIn(app.Services.GetRequiredService<AppSignIn>(), app.Services.GetRequiredService<TimeProvider>());
        app.MapSecureConnection(secure, app.Services.GetRequiredService<OwnerAccess>());
        app.MapLanguage();
        app.MapAddress();
        app.MapSupportBundle();
        app.MapImport();
        app.MapBackups();
        app.MapMachines(app.Services.GetRequiredService<OwnerAccess>(), app.Services.GetRequiredService<BoxPulse>());
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(static options => options.ContentSecurityFrameAncestorsPolicy = null);
    }
}
