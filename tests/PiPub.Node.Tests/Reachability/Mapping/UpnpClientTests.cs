using System.Net;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

/// <summary>The real libminiupnpc against gateways that the test plays.</summary>
public sealed class UpnpClientTests : IAsyncDisposable
{
    private const string Address = "<NewExternalIPAddress>203.0.113.5</NewExternalIPAddress>";
    private readonly PlayedGateway _gateway = new();
    private readonly UpnpClient _client = new(new BlockingCalls(), TimeProvider.System);

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public void A_port_is_mapped_with_a_lease()
    {
        _gateway.Answer = static (action, _, _) => action == "GetExternalIPAddress" ? Address : "";
        var answer = Map();
        Assert.Null(answer.Error);
        Assert.Equal((IPAddress.Parse("203.0.113.5"), 8008, TimeSpan.FromHours(1)), (answer.ExternalAddress, answer.ExternalPort, answer.Lifetime));
        Assert.Equal(("AddPortMapping", "8008", "3600"), _gateway.Calls.First());
    }

    [Theory]
    [InlineData(725)]
    [InlineData(402)]
    [InlineData(501)]
    public void Where_only_permanent_leases_are_had_one_is_taken(int error)
    {
        _gateway.Answer = (action, _, lease) => action == "AddPortMapping" && lease != "0" ? $"{error}" : Address;
        var answer = Map();
        Assert.Null(answer.Error);
        Assert.Null(answer.Lifetime);
    }

    [Fact]
    public void A_port_that_belongs_to_another_machine_is_left_to_it_and_another_asked_for()
    {
        _gateway.Answer = static (action, port, _) => action switch
        {
            "AddPortMapping" when port == "8008" => "718",
            "GetSpecificPortMappingEntry" => "<NewInternalPort>8008</NewInternalPort><NewInternalClient>192.168.1.66</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>x</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>",
            _ => Address,
        };
        var answer = Map();
        Assert.Null(answer.Error);
        Assert.InRange(answer.ExternalPort, 20_000, 60_000);
    }

    [Fact]
    public void A_conflict_with_the_boxs_own_mapping_is_none()
    {
        _gateway.Answer = static (action, _, _) => action switch
        {
            "AddPortMapping" => "718",
            "GetSpecificPortMappingEntry" => "<NewInternalPort>8008</NewInternalPort><NewInternalClient>127.0.0.1</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>x</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>",
            _ => Address,
        };
        var answer = Map();
        Assert.Null(answer.Error);
        Assert.Equal(8008, answer.ExternalPort);
    }

    [Fact]
    public void A_gateway_of_version_2_chooses_the_port_itself()
    {
        _gateway.ServiceType = "urn:schemas-upnp-org:service:WANIPConnection:2";
        _gateway.Answer = static (action, _, _) => action switch
        {
            "AddPortMapping" => "718",
            "GetSpecificPortMappingEntry" => "714",
            "AddAnyPortMapping" => "<NewReservedPort>4321</NewReservedPort>",
            _ => Address,
        };
        Assert.Equal(4321, Map().ExternalPort);
    }

    [Fact]
    public void When_every_port_is_taken_it_is_given_up()
    {
        _gateway.Answer = static (action, _, _) => action == "AddPortMapping" ? "718" : "714";
        Assert.Contains("another machine", Map().Error, StringComparison.Ordinal);
        Assert.InRange(_gateway.Calls.Count(static call => call.Action == "AddPortMapping"), 2, 6);
    }

    [Fact]
    public void Where_both_ports_must_be_the_same_they_are()
    {
        _gateway.Answer = static (action, port, _) => action == "AddPortMapping" && port != "8008" ? "724" : Address;
        var answer = _client.Map(Library, Described(), Request with { ExternalPort = 4321 }, CancellationToken.None);
        Assert.Equal((null, 8008), (answer.Error, answer.ExternalPort));
    }

    [Theory]
    [InlineData(606, "not allow")]
    [InlineData(728, "no room")]
    [InlineData(999, "999")]
    public void A_refusal_is_said_in_words(int error, string words)
    {
        _gateway.Answer = (_, _, _) => $"{error}";
        var answer = Map();
        Assert.True(answer.IsAnswered);
        Assert.Contains(words, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_connections_the_one_that_works_is_used()
    {
        _gateway.SecondControlUrl = "/ppp";
        _gateway.Answer = static (action, _, _) => action == "AddPortMapping" ? "501" : Address;
        Assert.Null(Map().Error);
        Assert.Equal(2, Described().Connections.Count);
    }

    [Fact]
    public void Services_that_are_said_to_be_on_another_machine_are_not_called()
    {
        _gateway.ControlUrl = "http://127.0.0.2:1/control";
        Assert.Empty(Described().Connections);
    }

    [Fact]
    public void An_absurd_outer_address_does_not_hurt()
    {
        _gateway.Answer = static (action, _, _) => action == "GetExternalIPAddress" ? $"<NewExternalIPAddress>{new string('9', 4000)}</NewExternalIPAddress>" : "";
        var answer = Map();
        Assert.Null(answer.Error);
        Assert.Null(answer.ExternalAddress);
    }

    [Fact]
    public void What_describes_no_gateway_is_none()
    {
        _gateway.ServiceType = "urn:schemas-upnp-org:service:ContentDirectory:1";
        Assert.Empty(Described().Connections);
        Assert.Null(Library.Describe(new Uri("http://127.0.0.1:1/nothing.xml")));
    }

    [Fact]
    public void A_mapping_is_taken_back_by_its_outer_port()
    {
        Assert.True(_client.Unmap(Library, Described(), Request with { ExternalPort = 4321 }));
        Assert.Equal(("DeletePortMapping", "4321"), (_gateway.Calls.Last().Action, _gateway.Calls.Last().Port));
    }

    [Fact]
    public void A_pinhole_is_opened_and_closed_by_its_number()
    {
        var six = Request with { Route = new GatewayRoute(IPAddress.IPv6Loopback, new LocalAddress(IPAddress.Parse("2001:db8::10"), 64), 1) };
        _gateway.Answer = static (action, _, _) => action == "AddPinhole" ? "<UniqueID>42</UniqueID>" : "";
        var answer = _client.Map(Library, Described(), six, CancellationToken.None);
        Assert.Equal((null, IPAddress.Parse("2001:db8::10"), 8008), (answer.Error, answer.ExternalAddress, answer.ExternalPort));
        Assert.Equal(("AddPinhole", "", "3600"), _gateway.Calls.Last());
        Assert.True(_client.Unmap(Library, Described(), six));
        Assert.False(_client.Unmap(Library, Described(), six));
        Assert.Equal("DeletePinhole", _gateway.Calls.Last().Action);
    }

    private static UpnpLibrary Library => UpnpLibrary.Instance ?? throw new InvalidOperationException("libminiupnpc is missing: `make out/.libraries` installs it.");

    private static MappingRequest Request { get; } =
        new(new GatewayRoute(IPAddress.Loopback, new LocalAddress(IPAddress.Loopback, 8), 1), 8008, 8008, null, TimeSpan.FromHours(1));

    private UpnpGateway Described() => Library.Describe(_gateway.Description) ?? throw new InvalidOperationException("No description.");

    private MappingAnswer Map() => _client.Map(Library, Described(), Request, CancellationToken.None);
}
