using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

public sealed class PcpClientTests : IDisposable
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);

    private readonly Socket _router = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    public PcpClientTests() => _router.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public void Dispose() => _router.Dispose();

    [Fact]
    public async Task What_the_router_grants_is_taken()
    {
        var asking = Client(TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (question, from) = await ReceiveAsync();
        await AnswerAsync(question, from);

        var answer = await asking;
        Assert.Null(answer.Error);
        Assert.Equal((IPAddress.Parse("203.0.113.5"), 4321, TimeSpan.FromSeconds(1800), 77u), (answer.ExternalAddress, answer.ExternalPort, answer.Lifetime, answer.Epoch));
        Assert.Equal(3600, question[6] << 8 | question[7]);
        Assert.Equal(IPAddress.Loopback.GetAddressBytes(), question[20..24]);
    }

    [Fact]
    public async Task A_lost_question_is_asked_again_with_the_same_nonce()
    {
        var asking = Client(Short, Short, TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (first, _) = await ReceiveAsync();
        var (second, from) = await ReceiveAsync();
        await AnswerAsync(second, from);

        Assert.Equal(first, second);
        Assert.Null((await asking).Error);
    }

    [Fact]
    public async Task Answers_that_belong_to_something_else_are_passed_over()
    {
        var asking = Client(TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (question, from) = await ReceiveAsync();

        // From another port, with another nonce, and noise.
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await stranger.SendToAsync(Answer(question, port: 1111), from, _stop);
        var other = Answer(question, port: 2222);
        other[24]++;
        await _router.SendToAsync(other, from, _stop);
        await _router.SendToAsync(new byte[3000], from, _stop);
        await AnswerAsync(question, from);

        Assert.Equal(4321, (await asking).ExternalPort);
    }

    [Theory]
    [InlineData(2, "not allow")]
    [InlineData(8, "no room")]
    [InlineData(12, "another router")]
    [InlineData(200, "200")]
    public async Task A_refusal_is_said_in_words(byte result, string words)
    {
        var asking = Client(TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (question, from) = await ReceiveAsync();
        var refusal = Answer(question);
        refusal[3] = result;
        await _router.SendToAsync(refusal, from, _stop);

        var answer = await asking;
        Assert.True(answer.IsAnswered);
        Assert.Contains(words, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(43)]
    [InlineData(7)]
    public async Task A_grant_of_port_0_or_no_time_is_none(int zeroAt)
    {
        var asking = Client(TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (question, from) = await ReceiveAsync();
        var grant = Answer(question);
        grant[zeroAt] = grant[zeroAt - 1] = 0;
        await _router.SendToAsync(grant, from, _stop);

        Assert.NotNull((await asking).Error);
    }

    [Fact]
    public async Task A_silent_router_is_given_up()
    {
        var answer = await Client(Short, Short).MapAsync(Request, _stop);
        Assert.False(answer.IsAnswered);
        Assert.NotNull(answer.Error);
    }

    [Fact]
    public async Task A_router_that_says_that_nobody_listens_is_given_up_at_once()
    {
        var client = Client(TimeSpan.FromDays(1));
        _router.Close();
        Assert.False((await client.MapAsync(Request, _stop)).IsAnswered);
    }

    [Fact]
    public async Task A_router_with_NAT_PMP_only_does_not_count_as_answering()
    {
        var asking = Client(TimeSpan.FromMinutes(1)).MapAsync(Request, _stop);
        var (_, from) = await ReceiveAsync();
        await _router.SendToAsync(Convert.FromHexString("0081000100000009"), from, _stop);

        var answer = await asking;
        Assert.False(answer.IsAnswered);
        Assert.Contains("NAT-PMP", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mapping_is_taken_back_with_the_nonce_it_was_made_with()
    {
        var client = Client(TimeSpan.FromMinutes(1));
        var asking = client.MapAsync(Request, _stop);
        var (question, from) = await ReceiveAsync();
        await AnswerAsync(question, from);
        await asking;

        var removing = client.UnmapAsync(Request with { ExternalPort = 4321 }, _stop);
        var (removal, remover) = await ReceiveAsync();
        await AnswerAsync(removal, remover);
        await removing;

        Assert.Equal(question[24..40], removal[24..40]);
        Assert.Equal(new byte[4], removal[4..8]);
        Assert.Equal(new byte[2], removal[42..44]);
    }

    [Fact]
    public void A_nonce_is_the_same_after_a_restart_and_another_for_another_box_address_or_port()
    {
        var nonce = Client(Short).Nonce(IPAddress.Loopback, 8008);
        Assert.Equal(nonce, Client(Short).Nonce(IPAddress.Loopback, 8008));
        Assert.NotEqual(nonce, Client(Short).Nonce(IPAddress.Loopback, 8009));
        Assert.NotEqual(nonce, Client(Short).Nonce(IPAddress.Any, 8008));
        Assert.NotEqual(nonce, new PcpClient("another box"u8, TimeProvider.System).Nonce(IPAddress.Loopback, 8008));
    }

    private static MappingRequest Request { get; } =
        new(new GatewayRoute(IPAddress.Loopback, new LocalAddress(IPAddress.Loopback, 8), 1), 8008, 8008, null, TimeSpan.FromHours(1));

    private PcpClient Client(params TimeSpan[] pauses) => new("a box"u8, TimeProvider.System, ((IPEndPoint)_router.LocalEndPoint!).Port, pauses);

    private async Task<(byte[] Datagram, EndPoint From)> ReceiveAsync()
    {
        var buffer = new byte[2000];
        var received = await _router.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop);
        return (buffer[..received.ReceivedBytes], received.RemoteEndPoint);
    }

    private async Task AnswerAsync(byte[] question, EndPoint to) => await _router.SendToAsync(Answer(question), to, _stop);

    private static byte[] Answer(byte[] question, int port = 4321)
    {
        var answer = Convert.FromHexString(
            "0281000000000708" + "0000004d" + "000000000000000000000000"
            + Convert.ToHexString(question[24..36]) + "060000001f480000" + "00000000000000000000ffffcb007105");
        (answer[42], answer[43]) = ((byte)(port >> 8), (byte)port);
        return answer;
    }
}
