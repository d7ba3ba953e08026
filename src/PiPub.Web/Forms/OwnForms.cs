using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace PiPub.Web.Forms;

/// <summary>Forms that only the box's own pages can send, for the browser that sends them. For one with a large file see <see cref="StreamedForm"/>.</summary>
internal static class OwnForms
{
    /// <summary>Takes a form at a path. Whoever takes it asks <see cref="IsOwnForm"/> or <see cref="ReadOwnFormAsync"/>.</summary>
    public static IEndpointConventionBuilder MapForm(this IEndpointRouteBuilder routes, string path, RequestDelegate take) =>
        routes.MapPost(path, take).WithMetadata(new RequireAntiforgeryTokenAttribute());

    /// <summary>Whether the request comes from a page of this box that is not too old.</summary>
    public static bool IsOwnForm(this HttpContext context) => context.Features.Get<IAntiforgeryValidationFeature>() is { IsValid: true };

    /// <summary>The form, when it comes from such a page; else null.</summary>
    public static async Task<IFormCollection?> ReadOwnFormAsync(this HttpContext context) =>
        context.IsOwnForm() && context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
}
