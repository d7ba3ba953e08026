using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.HttpAuth;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.HttpAuth;

public class HttpAuthTests
{
    private static readonly JsonElement Vectors = JsonElement.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors.json")));
    private static readonly KeyPair Client = PairOf("client_seed");
    private static readonly KeyPair Server = PairOf("server_seed");
    private static readonly string Sc = Convert.ToBase64String(Enumerable.Repeat((byte)5, 32).ToArray());
    private static readonly string Cc = Convert.ToBase64String(Enumerable.Repeat((byte)6, 32).ToArray());

    [Fact]
    public void The_vector_is_solved_and_verified_byte_for_byte()
    {
        var vector = Vectors.GetProperty("http_auth");
        Assert.Equal($"=http-auth-sign-in:{Server.Id}:{Client.Id}:{Sc}:{Cc}", vector.GetProperty("string").GetString());
        var solution = vector.GetProperty("signature").GetString()!;
        Assert.Equal(solution, HttpAuthSolution.Solve(Client, Server.Id, Sc, Cc));
        Assert.True(HttpAuthSolution.Verify(solution, Client.Id, Server.Id, Sc, Cc));
        Assert.Equal(HttpAuthSolution.Length, solution.Length);
    }

    [Fact]
    public void A_solution_is_good_for_one_client_one_server_and_one_pair_of_nonces()
    {
        var solution = HttpAuthSolution.Solve(Client, Server.Id, Sc, Cc);
        var other = HttpAuthSolution.NewNonce();
        Assert.True(HttpAuthSolution.IsNonce(other));
        Assert.False(HttpAuthSolution.Verify(solution, Server.Id, Server.Id, Sc, Cc));
        Assert.False(HttpAuthSolution.Verify(solution, Client.Id, Client.Id, Sc, Cc));
        Assert.False(HttpAuthSolution.Verify(solution, Client.Id, Server.Id, other, Cc));
        Assert.False(HttpAuthSolution.Verify(solution, Client.Id, Server.Id, Sc, other));
        Assert.False(HttpAuthSolution.Verify(solution, Client.Id, Server.Id, Cc, Sc));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU")]
    [InlineData("BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQV=")]
    [InlineData("BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB:U=")]
    [InlineData("BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBä==")]
    [InlineData("BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUF")]
    public void What_is_no_nonce_is_not_signed_over(string? text)
    {
        Assert.False(HttpAuthSolution.IsNonce(text));
        Assert.False(HttpAuthSolution.Verify(HttpAuthSolution.Solve(Client, Server.Id, text ?? "", Cc), Client.Id, Server.Id, text, Cc));
        Assert.False(HttpAuthSolution.Verify(HttpAuthSolution.Solve(Client, Server.Id, Sc, text ?? ""), Client.Id, Server.Id, Sc, text));
    }

    [Fact]
    public void No_text_makes_it_throw_and_none_but_the_solution_is_right() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(
        ArbMap.Default.ArbFor<string?>(),
        ArbMap.Default.ArbFor<byte>(),
        static (text, at) =>
        {
            var solution = HttpAuthSolution.Solve(Client, Server.Id, Sc, Cc).ToCharArray();
            solution[at % 86] = solution[at % 86] == 'A' ? 'B' : 'A';
            return !HttpAuthSolution.Verify(text, Client.Id, Server.Id, Sc, Cc) && !HttpAuthSolution.Verify(new string(solution), Client.Id, Server.Id, Sc, Cc);
        }));

    [Fact]
    public void The_link_encodes_what_ids_and_addresses_have_in_them()
    {
        var address = $"net:192.168.1.10:8008~shs:{Convert.ToBase64String(Server.Id.AsSpan())}";
        var link = new Uri(HttpAuthUri.Of(Server.Id, Sc, address));
        Assert.Equal("ssb:experimental", link.GetLeftPart(UriPartial.Path));
        var values = link.Query[1..].Split('&').Select(static pair => pair.Split('=')).ToDictionary(static pair => pair[0], static pair => Uri.UnescapeDataString(pair[1]));
        Assert.Equal(["start-http-auth", Server.Id.ToString(), Sc, address], [values["action"], values["sid"], values["sc"], values["multiserverAddress"]]);
        Assert.DoesNotContain("multiserverAddress", HttpAuthUri.Of(Server.Id, Sc, null), StringComparison.Ordinal);
    }

    private static KeyPair PairOf(string seed) => KeyPair.FromSeed(Convert.FromHexString(Vectors.GetProperty("shs").GetProperty(seed).GetString()!));
}
