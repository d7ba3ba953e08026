using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PiPub.Web.Access;
using PiPub.Web.Dashboard;

namespace PiPub.Web.Machines;

/// <summary>
/// What the dashboard shows, for programs: <c>/metrics</c> for Prometheus, <c>/api/status</c> and <c>/api/peers</c> as JSON. They want the
/// owner's session, or the token of the settings page as <c>Authorization: Bearer</c>. <c>/healthz</c> is for whoever watches that the
/// box is alive, and tells nothing else.
/// </summary>
/// <remarks>Reference: Prometheus text exposition format 0.0.4.</remarks>
public static class MachineEndpoints
{
    private const string Bearer = "Bearer ";

    /// <summary>Serves them.</summary>
    public static void MapMachines(this IEndpointRouteBuilder routes, OwnerAccess access, BoxPulse pulse)
    {
        routes.MapGet("/healthz", (RequestDelegate)(static context => WriteAsync(context, "text/plain; charset=utf-8", "ok\n"u8.ToArray()))).AllowAnonymous();
        Map("/metrics", "text/plain; version=0.0.4; charset=utf-8", static now => Encoding.UTF8.GetBytes(Metrics(now)));
        Map("/api/status", "application/json", Status);
        Map("/api/peers", "application/json", Peers);

        void Map(string path, string type, Func<BoxSnapshot, byte[]> write) => routes.MapGet(path, (RequestDelegate)(context =>
        {
            if (!IsAllowed(context, access))
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                context.Response.Headers.WWWAuthenticate = "Bearer";
                return Task.CompletedTask;
            }

            context.Response.Headers.CacheControl = "no-store";
            return WriteAsync(context, type, write(pulse.Read()));
        })).AllowAnonymous();
    }

    private static bool IsAllowed(HttpContext context, OwnerAccess access)
    {
        if (context.User.Identity is { IsAuthenticated: true })
        {
            return true;
        }

        var given = context.Request.Headers.Authorization.ToString();
        return given.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && access.IsApiToken(given[Bearer.Length..].Trim());
    }

    private static Task WriteAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }

    private static string Metrics(BoxSnapshot now)
    {
        var text = new StringBuilder();
        Gauge("pipub_up_seconds", "Seconds since the box started.", now.Uptime.TotalSeconds);
        Gauge("pipub_feeds", "Feeds kept.", now.Feeds);
        Gauge("pipub_messages", "Messages kept.", now.Messages);
        Gauge("pipub_messages_behind", "Messages that peers have told of and that are not here yet.", now.MessagesBehind);
        Gauge("pipub_message_bytes", "Bytes of messages kept.", now.MessageBytes);
        Gauge("pipub_blob_bytes", "Bytes of blobs kept.", now.BlobBytes);
        Gauge("pipub_blob_quota_bytes", "Bytes of blobs allowed.", now.BlobQuota);
        Gauge("pipub_disk_free_bytes", "Free bytes of the disk.", now.FreeBytes);
        Gauge("pipub_peers_connected", "Peers connected.", now.Connected.Count());
        Gauge("pipub_problems", "Things that are wrong with the box.", now.Problems.Count);
        if (now.IsReachable is { } reachable)
        {
            Gauge("pipub_reachable", "1 when the box can be reached from outside, 0 when not; missing while that is not known.", reachable ? 1 : 0);
        }

        if (now.Temperature is { } temperature)
        {
            Gauge("pipub_temperature_celsius", "Temperature of the processor.", temperature);
        }

        return text.ToString();

        void Gauge(string name, string help, double value) => text
            .Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(name).Append(" gauge\n")
            .Append(name).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static byte[] Status(BoxSnapshot now) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("id"u8, now.Id.ToString());
        json.WriteString("owner"u8, now.Owner?.ToString());
        json.WriteString("hostName"u8, now.HostName);
        json.WriteString("version"u8, now.Version);
        json.WriteNumber("uptimeSeconds"u8, (long)now.Uptime.TotalSeconds);
        json.WriteNumber("feeds"u8, now.Feeds);
        json.WriteNumber("messages"u8, now.Messages);
        json.WriteNumber("messagesBehind"u8, now.MessagesBehind);
        if (now.FetchTime is { } left)
        {
            json.WriteNumber("fetchSeconds"u8, (long)left.TotalSeconds);
        }

        json.WriteNumber("messageBytes"u8, now.MessageBytes);
        json.WriteNumber("blobBytes"u8, now.BlobBytes);
        json.WriteNumber("blobQuotaBytes"u8, now.BlobQuota);
        json.WriteNumber("freeBytes"u8, now.FreeBytes);
        json.WriteNumber("peersConnected"u8, now.Connected.Count());
        json.WriteStartObject("reachability"u8);
        if (now.IsReachable is { } reachable)
        {
            json.WriteBoolean("reachable"u8, reachable);
        }
        else
        {
            json.WriteNull("reachable"u8);
        }

        json.WriteString("summary"u8, now.Reachability.ToString());
        json.WriteString("advice"u8, now.ReachabilityAdvice?.ToString());
        json.WriteEndObject();
        if (now.Temperature is { } temperature)
        {
            json.WriteNumber("temperature"u8, temperature);
        }

        json.WriteStartArray("problems"u8);
        foreach (var problem in now.Problems)
        {
            json.WriteStringValue(problem.ToString());
        }

        json.WriteEndArray();
        json.WriteStartArray("lastProblems"u8);
        foreach (var problem in now.LastProblems)
        {
            json.WriteStartObject();
            json.WriteString("words"u8, problem.Words.ToString());
            json.WriteNumber("from"u8, problem.From.ToUnixTimeMilliseconds());
            if (problem.Until is { } until)
            {
                json.WriteNumber("until"u8, until.ToUnixTimeMilliseconds());
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static byte[] Peers(BoxSnapshot now) => Json(json =>
    {
        json.WriteStartArray();
        foreach (var peer in now.Peers)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, peer.Id.ToString());
            json.WriteString("state"u8, peer.State.ToString().ToLowerInvariant());
            json.WriteString("address"u8, peer.Address);
            json.WriteBoolean("outgoing"u8, peer.IsOutgoing);
            json.WriteNumber("since"u8, peer.Since.ToUnixTimeMilliseconds());
            json.WriteNumber("bytesReceived"u8, peer.BytesReceived);
            json.WriteNumber("bytesSent"u8, peer.BytesSent);
            json.WriteString("error"u8, peer.LastError);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
