using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Wire;

public class SecretHandshakeTests
{
    private static readonly NetworkKey Network = new(KeyPair.Generate().Id.Bytes);
    private static readonly KeyPair Alice = KeyPair.Generate();
    private static readonly KeyPair Bob = KeyPair.Generate();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_ends_learn_who_the_other_is_and_agree_on_keys()
    {
        var pair = new PipePair();
        var dialled = SecretHandshake.ConnectAsync(pair.Client, Alice, Bob.Id, Network, Cancelled);
        var answered = await SecretHandshake.AcceptAsync(pair.Server, Bob, Network, Anybody, Cancelled);
        var client = await dialled;

        Assert.Equal(Bob.Id, client.Remote);
        Assert.Equal(Alice.Id, answered.Remote);
        Assert.Equal(client.Keys.SendKey, answered.Keys.ReceiveKey);
        Assert.Equal(client.Keys.ReceiveKey, answered.Keys.SendKey);
        Assert.Equal(client.Keys.SendNonce.AsSpan(), answered.Keys.ReceiveNonce.AsSpan());
        Assert.Equal(client.Keys.ReceiveNonce.AsSpan(), answered.Keys.SendNonce.AsSpan());
        Assert.NotEqual(client.Keys.SendKey, client.Keys.ReceiveKey);
    }

    [Fact]
    public async Task What_follows_message_4_stays_in_the_reader()
    {
        // The whole answer of a server, and its first words, in one piece.
        var pair = new PipePair();
        var dialled = SecretHandshake.ConnectAsync(pair.Client, Alice, Bob.Id, Network, Cancelled);
        using var server = new SecretHandshakeServer(Bob, Network);
        var message = new byte[SecretHandshake.AuthenticationLength];
        await ReadAsync(pair.Server.Input, message.AsMemory(0, 64));
        server.ReadHello(message.AsSpan(0, 64));
        server.WriteHello(message.AsSpan(0, 64));
        await pair.Server.Output.WriteAsync(message.AsMemory(0, 64), Cancelled);
        await ReadAsync(pair.Server.Input, message);
        _ = server.ReadAuthentication(message);
        _ = server.WriteAcceptance(message.AsSpan(0, 80));
        await pair.Server.Output.WriteAsync((byte[])[.. message.AsSpan(0, 80), .. "first words"u8], Cancelled);

        await dialled;

        Assert.True(pair.Client.Input.TryRead(out var rest));
        Assert.Equal("first words", Encoding.ASCII.GetString(rest.Buffer));
    }

    [Fact]
    public async Task Any_cutting_of_the_bytes_makes_no_difference()
    {
        var pair = new PipePair();
        var slow = new PipePair();
        var toServer = TrickleAsync(slow.Server.Input, pair.Client.Output);
        var toClient = TrickleAsync(pair.Client.Input, slow.Server.Output);
        var dialled = SecretHandshake.ConnectAsync(slow.Client, Alice, Bob.Id, Network, Cancelled);
        var answered = await SecretHandshake.AcceptAsync(pair.Server, Bob, Network, Anybody, Cancelled);

        Assert.Equal(Bob.Id, (await dialled).Remote);
        Assert.Equal(Alice.Id, answered.Remote);
        await slow.Client.Output.CompleteAsync();
        await pair.Server.Output.CompleteAsync();
        await Task.WhenAll(toServer, toClient);
    }

    [Fact]
    public async Task Peers_of_another_network_get_no_answer()
    {
        var other = new NetworkKey(KeyPair.Generate().Id.Bytes);
        var (client, server) = await FailAsync(Alice, Bob.Id, other, Bob, Anybody);

        Assert.Equal(HandshakeFailure.WrongNetworkKey, server.Failure);
        Assert.Equal(HandshakeFailure.HungUp, client.Failure);
        Assert.Contains("after 0 of the 64 bytes", client.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_peer_is_told_nothing()
    {
        var asked = new List<FeedId>();
        var (client, server) = await FailAsync(Alice, Bob.Id, Network, Bob, id =>
        {
            asked.Add(id);
            return ValueTask.FromResult(false);
        });

        Assert.Equal([Alice.Id], asked);
        Assert.Equal(HandshakeFailure.Refused, server.Failure);
        Assert.Contains(Alice.Id.ToString(), server.Message, StringComparison.Ordinal);
        Assert.Equal(HandshakeFailure.Refused, client.Failure);
        Assert.Contains("after 0 of the 80 bytes", client.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_the_one_dialled_learns_nobodys_name()
    {
        var asked = 0;
        var (client, server) = await FailAsync(Alice, KeyPair.Generate().Id, Network, Bob, _ =>
        {
            asked++;
            return ValueTask.FromResult(true);
        });

        Assert.Equal(0, asked);
        Assert.Equal(HandshakeFailure.NotProven, server.Failure);
        Assert.Equal(HandshakeFailure.Refused, client.Failure);
    }

    [Fact]
    public void Nobody_gets_through_with_the_public_key_of_another()
    {
        // Mallory signs with her own key and claims Alice's.
        var mallory = KeyPair.Generate();
        using var server = new SecretHandshakeServer(Bob, Network);
        using var client = new SecretHandshakeClient(mallory, Bob.Id, Network);
        var hello = new byte[64];
        client.WriteHello(hello);
        server.ReadHello(hello);
        server.WriteHello(hello);
        client.ReadHello(hello);
        Span<byte> claim = stackalloc byte[96];
        client.Secrets.WriteClientProof(Bob.Id, claim);
        mallory.Sign(claim.ToArray(), claim[..64]);
        Alice.Id.AsSpan().CopyTo(claim[64..]);
        var authentication = new byte[112];
        Sodium.SecretBox(claim, HandshakeSecrets.ZeroNonce, client.Secrets.AuthenticationKey, authentication.AsSpan(0, 16), authentication.AsSpan(16));

        var error = Assert.Throws<HandshakeException>(() => server.ReadAuthentication(authentication));

        Assert.Equal(HandshakeFailure.NotProven, error.Failure);
    }

    [Fact]
    public void An_acceptance_that_the_server_did_not_sign_is_refused()
    {
        using var server = new SecretHandshakeServer(Bob, Network);
        using var client = new SecretHandshakeClient(Alice, Bob.Id, Network);
        var hello = new byte[64];
        client.WriteHello(hello);
        server.ReadHello(hello);
        server.WriteHello(hello);
        client.ReadHello(hello);
        var authentication = new byte[112];
        client.WriteAuthentication(authentication);
        _ = server.ReadAuthentication(authentication);
        Span<byte> proof = stackalloc byte[160];
        server.Secrets.WriteServerProof(client.Signature, Alice.Id, proof);
        var signature = new byte[64];
        KeyPair.Generate().Sign(proof, signature);
        var acceptance = new byte[80];
        Sodium.SecretBox(signature, HandshakeSecrets.ZeroNonce, server.Secrets.AcceptanceKey, acceptance.AsSpan(0, 16), acceptance.AsSpan(16));

        var error = Assert.Throws<HandshakeException>(() => client.ReadAcceptance(acceptance));

        Assert.Equal(HandshakeFailure.NotProven, error.Failure);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void Ephemeral_keys_that_force_a_known_secret_are_refused(string smallOrder)
    {
        var hello = new byte[64];
        Convert.FromHexString(smallOrder).CopyTo(hello, 32);
        Sodium.Auth(hello.AsSpan(32), Network.Bytes.AsSpan(), hello.AsSpan(0, 32));
        using var server = new SecretHandshakeServer(Bob, Network);
        using var client = new SecretHandshakeClient(Alice, Bob.Id, Network);

        Assert.Equal(HandshakeFailure.BadKey, Assert.Throws<HandshakeException>(() => server.ReadHello(hello)).Failure);
        Assert.Equal(HandshakeFailure.BadKey, Assert.Throws<HandshakeException>(() => client.ReadHello(hello)).Failure);
    }

    [Fact]
    public void An_identity_that_is_no_point_cannot_be_dialled()
    {
        using var server = new SecretHandshakeServer(Bob, Network);
        using var client = new SecretHandshakeClient(Alice, default, Network);
        var hello = new byte[64];
        server.WriteHello(hello);

        Assert.Equal(HandshakeFailure.BadKey, Assert.Throws<HandshakeException>(() => client.ReadHello(hello)).Failure);
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 64)]
    [InlineData(3, 112)]
    [InlineData(4, 80)]
    public void No_message_survives_a_flipped_bit(int message, int length)
    {
        for (var position = 0; position < length; position++)
        {
            var bit = (byte)(1 << (position % 8));
            Assert.Throws<HandshakeException>(() => Run(message, position, bit));
        }
    }

    [Fact]
    public async Task A_hang_up_says_how_much_had_come()
    {
        for (var sent = 0; sent < SecretHandshake.HelloLength; sent += 7)
        {
            var pair = new PipePair();
            await pair.Client.Output.WriteAsync(new byte[sent], Cancelled);
            await pair.Client.Output.CompleteAsync();

            var error = await Assert.ThrowsAsync<HandshakeException>(() => SecretHandshake.AcceptAsync(pair.Server, Bob, Network, Anybody, Cancelled));

            Assert.Equal(HandshakeFailure.HungUp, error.Failure);
            Assert.Contains($"after {sent} of the 64 bytes", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Noise_is_refused_without_an_answer() =>
        Prop.ForAll(Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(300).ToArbitrary(), noise =>
        {
            var pair = new PipePair();
            pair.Client.Output.Write(noise);
            pair.Client.Output.Complete();
            var accepting = SecretHandshake.AcceptAsync(pair.Server, Bob, Network, Anybody, CancellationToken.None);
            return accepting.IsFaulted
                && accepting.Exception!.InnerException is HandshakeException { Failure: HandshakeFailure.WrongNetworkKey }
                && pair.Client.Input.TryRead(out var answer) && answer.IsCompleted && answer.Buffer.IsEmpty;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task The_callers_time_out_ends_it_and_closes()
    {
        var pair = new PipePair();
        using var time = new CancellationTokenSource();
        var accepting = SecretHandshake.AcceptAsync(pair.Server, Bob, Network, Anybody, time.Token);
        await time.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        Assert.True((await pair.Client.Input.ReadAsync(Cancelled)).IsCompleted);
    }

    [Fact]
    public async Task A_time_out_also_ends_an_authorizer_that_never_answers()
    {
        var pair = new PipePair();
        using var time = new CancellationTokenSource();
        var dialled = SecretHandshake.ConnectAsync(pair.Client, Alice, Bob.Id, Network, Cancelled);
        var accepting = SecretHandshake.AcceptAsync(pair.Server, Bob, Network, async _ =>
        {
            await time.CancelAsync();
            await Task.Delay(Timeout.Infinite, Cancelled);
            return true;
        }, time.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        await Assert.ThrowsAsync<HandshakeException>(() => dialled);
    }

    private static ValueTask<bool> Anybody(FeedId client) => ValueTask.FromResult(true);

    private static async Task<(HandshakeException Client, HandshakeException Server)> FailAsync(
        KeyPair client, FeedId dialled, NetworkKey network, KeyPair server, Func<FeedId, ValueTask<bool>> authorize)
    {
        var pair = new PipePair();
        var dialling = SecretHandshake.ConnectAsync(pair.Client, client, dialled, network, Cancelled);
        var serverError = await Assert.ThrowsAsync<HandshakeException>(() => SecretHandshake.AcceptAsync(pair.Server, server, Network, authorize, Cancelled));
        return (await Assert.ThrowsAsync<HandshakeException>(() => dialling), serverError);
    }

    private static void Run(int damagedMessage, int position, byte bit)
    {
        using var client = new SecretHandshakeClient(Alice, Bob.Id, Network);
        using var server = new SecretHandshakeServer(Bob, Network);
        var hello = new byte[64];
        client.WriteHello(hello);
        Damage(1, hello);
        server.ReadHello(hello);
        server.WriteHello(hello);
        Damage(2, hello);
        client.ReadHello(hello);
        var authentication = new byte[112];
        client.WriteAuthentication(authentication);
        Damage(3, authentication);
        _ = server.ReadAuthentication(authentication);
        var acceptance = new byte[80];
        _ = server.WriteAcceptance(acceptance);
        Damage(4, acceptance);
        _ = client.ReadAcceptance(acceptance);

        void Damage(int message, byte[] bytes)
        {
            if (message == damagedMessage)
            {
                bytes[position] ^= bit;
            }
        }
    }

    private static async Task ReadAsync(PipeReader input, Memory<byte> message)
    {
        var result = await input.ReadAtLeastAsync(message.Length, Cancelled);
        result.Buffer.Slice(0, message.Length).CopyTo(message.Span);
        input.AdvanceTo(result.Buffer.GetPosition(message.Length));
    }

    /// <summary>Hands bytes on one at a time.</summary>
    private static async Task TrickleAsync(PipeReader from, PipeWriter to)
    {
        while (true)
        {
            var result = await from.ReadAsync(Cancelled);
            foreach (var part in result.Buffer)
            {
                for (var i = 0; i < part.Length; i++)
                {
                    await to.WriteAsync(part.Slice(i, 1), Cancelled);
                    await Task.Yield();
                }
            }

            from.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }
}
