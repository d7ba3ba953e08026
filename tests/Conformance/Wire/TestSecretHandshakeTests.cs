using System.Text.Json;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Wire;

/// <summary>
/// test-secret-handshake 1.0.2: what each stateless step of the reference implementation was given and what it answered.
/// A case's state is brought about by replaying the messages that led to it, then its step is taken and everything that the
/// state knows afterwards is compared.
/// </summary>
public class TestSecretHandshakeTests
{
    private static readonly Lazy<JsonElement[]> Cases = new(() =>
        [.. JsonElement.Parse(File.ReadAllBytes(ConformanceFiles.Suite("test-secret-handshake/data.json"))).EnumerateArray()]);

    public static TheoryData<int, string> All()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < Cases.Value.Length; i++)
        {
            data.Add(i, Cases.Value[i].GetProperty("name").GetString()!);
        }

        return data;
    }

    [Fact]
    public void The_suite_is_whole() => Assert.Equal(159, Cases.Value.Length);

    [Theory]
    [MemberData(nameof(All))]
    public void Case(int index, string step)
    {
        var vector = Cases.Value[index];
        var result = vector.GetProperty("result");
        var arguments = vector.GetProperty("args");
        if (step == "toKeys")
        {
            CheckKeys(arguments[0], result);
            return;
        }

        using var replay = new Replay(arguments[0]);
        switch (step)
        {
            case "initialize":
                replay.Check(result);
                break;
            case "createChallenge":
                Assert.Equal(Bytes(result), replay.Hello());
                break;
            case "verifyChallenge" or "clientVerifyChallenge":
                Expect(result, replay, () => replay.ReadHello(Bytes(arguments[1])), step == "clientVerifyChallenge");
                break;
            case "clientCreateAuth":
                replay.ReadHello();
                Assert.Equal(Bytes(result), replay.Authentication());
                break;
            case "serverVerifyAuth":
                replay.ReadHello();
                Expect(result, replay, () => replay.ReadAuthentication(Bytes(arguments[1])));
                break;
            case "serverCreateAccept":
                replay.ReadHello();
                replay.ReadAuthentication(PacketOf("serverVerifyAuth", arguments[0]));
                Assert.Equal(Bytes(result), replay.Acceptance());
                break;
            case "clientVerifyAccept":
                replay.ReadHello();
                _ = replay.Authentication();
                Expect(result, replay, () => replay.ReadAcceptance(Bytes(arguments[1])));
                break;
            case "clean":
                replay.ReadHello();
                if (IsServer(arguments[0]))
                {
                    replay.ReadAuthentication(PacketOf("serverVerifyAuth", arguments[0]));
                    _ = replay.Acceptance();
                }
                else
                {
                    _ = replay.Authentication();
                    replay.ReadAcceptance(PacketOf("clientVerifyAccept", arguments[0]));
                }

                replay.CheckSessionKeys(result);
                break;
            default:
                Assert.Fail($"The step {step} is unknown.");
                break;
        }
    }

    /// <summary>A null result means that the step refuses its packet.</summary>
    private static void Expect(JsonElement result, Replay replay, Action step, bool signs = false)
    {
        if (result.ValueKind == JsonValueKind.Null)
        {
            Assert.Throws<HandshakeException>(step);
        }
        else
        {
            step();
            if (signs)
            {
                // The reference prepares message 3 in the step that reads message 2.
                _ = replay.Authentication();
            }

            replay.Check(result);
        }
    }

    private static void CheckKeys(JsonElement seedOrKeys, JsonElement result)
    {
        var seed = seedOrKeys.ValueKind == JsonValueKind.String ? Bytes(seedOrKeys) : seedOrKeys.Hex("secretKey")[..32];
        var keys = KeyPair.FromSeed(seed);
        Assert.Equal(result.Hex("publicKey"), keys.Id.AsSpan());
        Assert.Equal(result.Hex("secretKey"), keys.SecretKey);
    }

    /// <summary>The packet that the party with this ephemeral key accepted in an earlier step.</summary>
    private static byte[] PacketOf(string step, JsonElement state) => Bytes(Cases.Value.First(c =>
        c.GetProperty("name").GetString() == step
        && c.GetProperty("result").ValueKind != JsonValueKind.Null
        && c.GetProperty("args")[0].GetProperty("random").GetString() == state.GetProperty("random").GetString()).GetProperty("args")[1]);

    /// <summary>Only clients carry the property "seed" in their state.</summary>
    private static bool IsServer(JsonElement state) => !state.TryGetProperty("seed", out _);

    private static byte[] Bytes(JsonElement hex) => Convert.FromHexString(hex.GetString()!);

    /// <summary>One party of a recorded handshake, in whichever role.</summary>
    private sealed class Replay : IDisposable
    {
        private readonly JsonElement _state;
        private readonly KeyPair _self;
        private readonly SecretHandshakeClient? _client;
        private readonly SecretHandshakeServer? _server;
        private Scuttlebutt.BoxStreams.BoxStreamKeys? _keys;

        public Replay(JsonElement state)
        {
            _state = state;
            var local = state.GetProperty("local");
            _self = KeyPair.FromSeed(local.Hex("secretKey").AsSpan(0, 32));
            var network = new NetworkKey(new Bytes32(state.Hex("app_key")));

            // The reference grows its ephemeral X25519 key out of an Ed25519 one with this seed.
            var ephemeral = new byte[32];
            Sodium.ToCurveSecretKey(KeyPair.FromSeed(state.Hex("random")).SecretKey, ephemeral);
            if (IsServer(state))
            {
                _server = new SecretHandshakeServer(_self, network, ephemeral);
            }
            else
            {
                _client = new SecretHandshakeClient(_self, new FeedId(state.GetProperty("remote").Hex("publicKey")), network, ephemeral);
            }
        }

        private HandshakeSecrets Secrets => _client?.Secrets ?? _server!.Secrets;

        public byte[] Hello()
        {
            var hello = new byte[SecretHandshake.HelloLength];
            Secrets.WriteHello(hello);
            return hello;
        }

        public void ReadHello(byte[] hello)
        {
            _client?.ReadHello(hello);
            _server?.ReadHello(hello);
        }

        public void ReadHello()
        {
            var remote = _state.GetProperty("remote");
            ReadHello([.. remote.Hex("app_mac"), .. remote.Hex("kx_pk")]);
        }

        public byte[] Authentication()
        {
            var authentication = new byte[SecretHandshake.AuthenticationLength];
            _client!.WriteAuthentication(authentication);
            return authentication;
        }

        public void ReadAuthentication(byte[] authentication)
        {
            var client = _server!.ReadAuthentication(authentication);
            Assert.Equal(_state.GetProperty("remote").Hex("publicKey"), client.AsSpan());
        }

        public byte[] Acceptance()
        {
            var acceptance = new byte[SecretHandshake.AcceptanceLength];
            _keys = _server!.WriteAcceptance(acceptance);
            return acceptance;
        }

        public void ReadAcceptance(byte[] acceptance) => _keys = _client!.ReadAcceptance(acceptance);

        /// <summary>Compares everything that the reference's state knows.</summary>
        public void Check(JsonElement state)
        {
            var local = state.GetProperty("local");
            Assert.Equal(state.Hex("app_key"), _state.Hex("app_key"));
            Assert.Equal(local.Hex("publicKey"), _self.Id.AsSpan());
            Assert.Equal(local.Hex("secretKey"), _self.SecretKey);
            Assert.Equal(local.Hex("kx_sk"), Secrets.EphemeralSecret);
            Assert.Equal(local.Hex("kx_pk"), Secrets.EphemeralPublic);
            Assert.Equal(local.Hex("app_mac"), Secrets.HelloMac);
            CheckIfKnown(local, "hello", () => [.. _client!.Signature, .. _self.Id.AsSpan()]);
            CheckIfKnown(state.GetProperty("remote"), "kx_pk", () => Secrets.RemoteEphemeralPublic.ToArray());
            CheckIfKnown(state.GetProperty("remote"), "app_mac", () => Secrets.RemoteHelloMac.ToArray());
            CheckIfKnown(state, "secret", () => Secrets.SharedEphemeral.ToArray());
            CheckIfKnown(state, "shash", () => Secrets.SharedEphemeralHash.ToArray());
            CheckIfKnown(state, "a_bob", () => Secrets.SharedWithServer.ToArray());
            CheckIfKnown(state, "secret2", () => Secrets.AuthenticationKey.ToArray());
            CheckIfKnown(state, "b_alice", () => Secrets.SharedWithClient.ToArray());
            CheckIfKnown(state, "secret3", () => Secrets.AcceptanceKey.ToArray());
        }

        public void CheckSessionKeys(JsonElement state)
        {
            Assert.Equal(state.Hex("encryptKey"), _keys!.SendKey.AsSpan());
            Assert.Equal(state.Hex("decryptKey"), _keys.ReceiveKey.AsSpan());
            Assert.Equal(state.GetProperty("remote").Hex("app_mac").AsSpan(0, 24), _keys.SendNonce.AsSpan());
            Assert.Equal(state.GetProperty("local").Hex("app_mac").AsSpan(0, 24), _keys.ReceiveNonce.AsSpan());
        }

        public void Dispose()
        {
            _client?.Dispose();
            _server?.Dispose();
        }

        private static void CheckIfKnown(JsonElement state, string property, Func<byte[]> ours)
        {
            if (state.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(Bytes(value), ours());
            }
        }
    }
}
