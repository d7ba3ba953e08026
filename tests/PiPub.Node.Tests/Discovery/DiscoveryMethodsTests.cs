using System.Text.Json;
using PiPub.Node.Discovery;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Discovery;

public class DiscoveryMethodsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_list_has_the_agreed_shape()
    {
        using var lan = new TestLan();
        var (member, stranger) = (KeyPair.Generate(), KeyPair.Generate());
        lan.Follow(member.Id);
        lan.HearPlain(stranger, "fe80::9");
        lan.HearPlain(member, "192.168.7.9");
        lan.HearEncrypted(member, "192.168.7.9");
        var now = lan.Time.GetUtcNow().ToUnixTimeMilliseconds();
        lan.Peers.Saw(new LanSighting(stranger.Id, TestLan.Address(stranger, "fe80::9"), LanMeans.Mdns, false, TestLan.Eth, "stranger"));
        var (first, second) = (TestLan.Address(member, "192.168.7.9"), TestLan.Address(stranger, "fe80::9%eth0"));
        Assert.Equal(
            $$"""
            [{"id":"{{member.Id}}","address":"{{first}}","addresses":["{{first}}"],"via":["plain","encrypted"],"verified":true,"relation":"member","connected":false,"name":null,"interface":"eth0","lastSeen":{{now}}},{"id":"{{stranger.Id}}","address":"{{second}}","addresses":["{{second}}"],"via":["plain","mdns"],"verified":false,"relation":"stranger","connected":false,"name":"stranger","interface":"eth0","lastSeen":{{now}}}]
            """,
            await AskAsync(Methods(lan), "discovery.peers"));
    }

    [Fact]
    public async Task The_status_says_where_the_box_looks_and_what_came()
    {
        using var lan = new TestLan();
        lan.HearPlain(KeyPair.Generate(), "8.8.8.8");
        var status = JsonElement.Parse(await AskAsync(Methods(lan), "discovery.status"));
        Assert.True(status.GetProperty("on").GetBoolean());
        Assert.Equal(["eth0", "wlan0"], status.GetProperty("interfaces").EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        Assert.Equal("192.168.7.2/24", status.GetProperty("interfaces")[0].GetProperty("addresses")[0].GetString());
        Assert.False(status.GetProperty("otherNetworkHeard").GetBoolean());
        var counters = JsonElement.Parse(await AskAsync(Methods(lan), "discovery.counters"));
        Assert.Equal((1, 1), (counters.GetProperty("received").GetInt32(), counters.GetProperty("unusable").GetInt32()));

        var off = JsonElement.Parse(await AskAsync(Methods(lan, isOn: false), "discovery.status"));
        Assert.False(off.GetProperty("on").GetBoolean());
        Assert.Equal("{}", await AskAsync(Methods(lan, isOn: false), "discovery.counters"));
    }

    [Fact]
    public async Task Strangers_are_staged_as_in_ssb_conn_and_the_list_is_live()
    {
        using var lan = new TestLan();
        var (member, stranger) = (KeyPair.Generate(), KeyPair.Generate());
        lan.Follow(member.Id);
        lan.HearPlain(member, "192.168.7.9");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var stream = new CollectingStream();
        var serving = Methods(lan).Find("conn.stagedPeers", RpcCallers.Owner, isOwner: true)!.Serve!(null!, stream, ended.Token);
        await Eventually.BecomesTrueAsync(() => stream.Items.Count == 1, "the list as it is");
        Assert.Equal("[]", stream.Items[0]);

        lan.HearEncrypted(stranger, "192.168.7.10");
        await Eventually.BecomesTrueAsync(() => stream.Items.Count == 2, "the list with the stranger");
        var now = lan.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(
            $$"""[["{{TestLan.Address(stranger, "192.168.7.10")}}",{"stagingBirth":{{now}},"stagingUpdated":{{now}},"type":"lan","key":"{{stranger.Id}}","verified":true}]]""",
            stream.Items[1]);

        lan.Follow(stranger.Id);
        await Eventually.BecomesTrueAsync(() => stream.Items.Count == 3, "the list without the friend");
        Assert.Equal("[]", stream.Items[2]);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
    }

    private static RpcMethods Methods(TestLan lan, bool isOn = true)
    {
        var methods = new RpcMethods();
        new DiscoveryMethods(lan.Peers, isOn ? lan.Counters : null, new PeerTable(lan.Time), lan.Watch, lan.Neighbourhood).Register(methods);
        return methods;
    }

    private static async Task<string> AskAsync(RpcMethods methods, string name)
    {
        Assert.Null(methods.Find(name, RpcCallers.Peer, isOwner: false));
        var body = await methods.Find(name, RpcCallers.Owner, isOwner: true)!.Answer!(null!, Stop);
        return System.Text.Encoding.UTF8.GetString(body.Bytes.Span);
    }

    private sealed class CollectingStream : RpcStream
    {
        private readonly Lock _gate = new();
        private readonly List<string> _items = [];

        public IReadOnlyList<string> Items
        {
            get
            {
                lock (_gate)
                {
                    return [.. _items];
                }
            }
        }

        public override CancellationToken Ended => Stop;

        public override ValueTask<RpcBody?> ReadAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public override bool TryRead(out RpcBody body) => throw new NotSupportedException();

        public override ValueTask WriteAsync(BodyType type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                _items.Add(System.Text.Encoding.UTF8.GetString(body.Span));
            }

            return default;
        }

        public override void Complete(RpcException? error = null)
        {
        }
    }
}
