using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Web.Forms;

namespace PiPub.Web.Settings;

/// <summary>
/// Where the button goes by which a new address is confirmed. A form of its own and not a click on a live page: only a request
/// tells by which address it came.
/// </summary>
public static class AddressEndpoint
{
    /// <summary>Its path.</summary>
    public const string Path = "/settings/address/confirm";

    /// <summary>Takes the form.</summary>
    public static void MapAddress(this IEndpointRouteBuilder routes) =>
        routes.MapForm(Path, ConfirmAsync);

    private static async Task ConfirmAsync(HttpContext context)
    {
        var address = context.RequestServices.GetRequiredService<IMachineAddress>();
        var isKept = context.IsOwnForm() && await address.ConfirmAsync(context.Connection.LocalIpAddress);
        context.Response.Redirect(isKept ? "/settings?address=kept#address" : "/settings?address=elsewhere#address");
    }
}
