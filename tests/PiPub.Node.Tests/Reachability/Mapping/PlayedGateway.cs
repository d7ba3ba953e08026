using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace PiPub.Node.Tests.Reachability.Mapping;

/// <summary>A UPnP gateway on loopback that answers each action as the test says.</summary>
internal sealed partial class PlayedGateway : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _serving;

    public PlayedGateway()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Actions called, in their order: name, external port, lease.</summary>
    public ConcurrentQueue<(string Action, string Port, string Lease)> Calls { get; } = new();

    /// <summary>Answers an action with an error code, or with elements of success.</summary>
    public Func<string, string, string, string> Answer { get; set; } = (_, _, _) => "";

    public string ServiceType { get; set; } = "urn:schemas-upnp-org:service:WANIPConnection:1";

    public string ControlUrl { get; set; } = "/control";

    /// <summary>A further service, described after the first.</summary>
    public string? SecondControlUrl { get; set; }

    public Uri Description => new($"http://{_listener.LocalEndpoint}/description.xml");

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private static string Service(string type, string url) =>
        $"<service><serviceType>{type}</serviceType><serviceId>urn:upnp-org:serviceId:x</serviceId><SCPDURL>/x.xml</SCPDURL><controlURL>{url}</controlURL><eventSubURL>/e</eventSubURL></service>";

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            var stream = client.GetStream();
            var request = "";
            var buffer = new byte[8192];
            while (!IsWhole(request))
            {
                var length = await stream.ReadAsync(buffer, _stopping.Token);
                if (length == 0)
                {
                    break;
                }

                request += Encoding.Latin1.GetString(buffer, 0, length);
            }

            var (status, body) = request.StartsWith("GET", StringComparison.Ordinal) ? ("200 OK", Describe()) : Act(request);
            await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), _stopping.Token);
        }
    }

    private static bool IsWhole(string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end >= 0 && (ContentLength().Match(request) is not { Success: true } length || request.Length >= end + 4 + int.Parse(length.Groups["value"].Value));
    }

    private string Describe() =>
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList>"
        + Service("urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1", "/common")
        + Service(ServiceType, ControlUrl)
        + (SecondControlUrl is null ? "" : Service("urn:schemas-upnp-org:service:WANPPPConnection:1", SecondControlUrl))
        + Service("urn:schemas-upnp-org:service:WANIPv6FirewallControl:1", "/firewall")
        + "</serviceList></device></root>";

    private (string Status, string Body) Act(string request)
    {
        var action = Action().Match(request).Groups["value"].Value;
        var path = request.Split(' ')[1];
        var port = ExternalPort().Match(request).Groups["value"].Value;
        var lease = Lease().Match(request).Groups["value"].Value;
        Calls.Enqueue((action, port, lease));
        var answer = Answer(path == ControlUrl || path == "/firewall" ? action : $"{action} {path}", port, lease);
        return int.TryParse(answer, out var error)
            ? ("500 Internal Server Error", $"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{error}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>")
            : ("200 OK", $"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:{action}Response xmlns:u=\"x\">{answer}</u:{action}Response></s:Body></s:Envelope>");
    }

    [GeneratedRegex("(?i)content-length: *(?<value>[0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex ContentLength();

    [GeneratedRegex("(?i)soapaction: *\"[^#]*#(?<value>[A-Za-z]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex Action();

    [GeneratedRegex("<NewExternalPort>(?<value>[0-9]+)<", RegexOptions.NonBacktracking)]
    private static partial Regex ExternalPort();

    [GeneratedRegex("<(?:NewLeaseDuration|LeaseTime)>(?<value>[0-9]+)<", RegexOptions.NonBacktracking)]
    private static partial Regex Lease();
}
