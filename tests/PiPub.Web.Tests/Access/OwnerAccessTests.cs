using System.Net;
using PiPub.Storage.State;
using PiPub.Web.Access;

namespace PiPub.Web.Tests.Access;

public sealed class OwnerAccessTests : IDisposable
{
    private const string Password = "correct horse";
    private static readonly IPAddress Home = IPAddress.Parse("192.168.1.5");

    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-access").FullName;
    private readonly PlayedTime _time = new();
    private readonly StateDatabase _state;
    private OwnerAccess _access;

    public OwnerAccessTests()
    {
        _state = StateDatabase.Open(_directory);
        _access = new OwnerAccess(new AccessTable(_state), _time);
    }

    private string Code => _access.Proof.Code.Text!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _access.Dispose();
        _state.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Only_whoever_knows_the_code_claims_the_box_and_only_once()
    {
        Assert.False(_access.IsClaimed);
        Assert.Equal(AccessOutcome.NotClaimed, (await _access.SignInAsync(Password, Home, null, Stop)).Outcome);
        var wrong = Code == "0000-0000" ? "1111-1111" : "0000-0000";
        Assert.Equal(AccessOutcome.WrongCode, (await _access.ClaimAsync(wrong, Password, Home, null, Stop)).Outcome);
        Assert.Equal(AccessOutcome.WrongCode, (await _access.ClaimAsync("", Password, Home, null, Stop)).Outcome);
        Assert.Equal(AccessOutcome.WeakPassword, (await _access.ClaimAsync(Code, "short", Home, null, Stop)).Outcome);
        var answer = await _access.ClaimAsync(Code.Replace("-", " ", StringComparison.Ordinal), Password, Home, "a browser", Stop);
        Assert.Equal(AccessOutcome.Granted, answer.Outcome);
        Assert.True(_access.IsClaimed);
        Assert.Equal("a browser", _access.Find(answer.Token, Home)!.Browser);
        Assert.Equal(AccessOutcome.AlreadyClaimed, (await _access.ClaimAsync(Code, Password, Home, null, Stop)).Outcome);
    }

    [Fact]
    public async Task Guessing_the_code_is_slowed_down_and_not_even_the_right_one_is_looked_at_meanwhile()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(AccessOutcome.WrongCode, (await _access.ClaimAsync("no", Password, Home, null, Stop)).Outcome);
        }

        var answer = await _access.ClaimAsync(Code, Password, Home, null, Stop);
        Assert.Equal((AccessOutcome.TooOften, TimeSpan.FromSeconds(5)), (answer.Outcome, answer.Wait));
        _time.Advance(answer.Wait);
        Assert.Equal(AccessOutcome.Granted, (await _access.ClaimAsync(Code, Password, Home, null, Stop)).Outcome);
    }

    [Fact]
    public async Task The_password_signs_in_and_what_is_kept_of_it_gives_nothing_away()
    {
        var first = await ClaimAsync();
        Assert.Equal(AccessOutcome.WrongPassword, (await _access.SignInAsync("correct horsf", Home, null, Stop)).Outcome);
        Assert.Equal(AccessOutcome.WrongPassword, (await _access.SignInAsync(null, Home, null, Stop)).Outcome);
        var second = await _access.SignInAsync(Password, Home, null, Stop);
        Assert.Equal(AccessOutcome.Granted, second.Outcome);
        Assert.NotEqual(first, second.Token);

        var hash = new AccessTable(_state).PasswordHash!;
        Assert.StartsWith("$argon2id$", hash);
        Assert.DoesNotContain(Password, hash);
        var kept = Convert.ToHexString(Assert.Single(_state.Query("SELECT token FROM web_sessions WHERE id = $0", static row => (byte[])row[0], _access.Find(first, Home)!.Id)));
        Assert.False(kept.Equals(first, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("zz")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg")]
    public async Task Made_up_tokens_open_nothing(string? token)
    {
        await ClaimAsync();
        Assert.Null(_access.Find(token, Home));
    }

    [Fact]
    public async Task Sessions_outlive_a_restart_and_end_when_they_are_ended_or_forgotten()
    {
        var token = await ClaimAsync();
        var other = (await _access.SignInAsync(Password, Home, null, Stop)).Token;
        _access.Dispose();
        _access = new OwnerAccess(new AccessTable(_state), _time);
        Assert.True(_access.IsClaimed);
        var session = _access.Find(token, Home)!;
        long? ended = null;
        _access.Ended += id => ended = id;
        Assert.True(_access.End(session.Id));
        Assert.Equal(session.Id, ended);
        Assert.Null(_access.Find(token, Home));
        Assert.NotNull(_access.Find(other, Home));

        _time.Advance(TimeSpan.FromDays(59));
        Assert.NotNull(_access.Find(other, Home));
        _time.Advance(TimeSpan.FromDays(59));
        Assert.NotNull(_access.Find(other, Home));
        _time.Advance(TimeSpan.FromDays(61));
        Assert.Null(_access.Find(other, Home));
    }

    [Fact]
    public async Task A_new_password_signs_every_other_browser_out()
    {
        var token = await ClaimAsync();
        var other = (await _access.SignInAsync(Password, Home, null, Stop)).Token;
        var session = _access.Find(token, Home)!.Id;
        Assert.Equal(AccessOutcome.WrongPassword, (await _access.ChangePasswordAsync(session, "not it at all", "battery staple", Home, Stop)).Outcome);
        Assert.Equal(AccessOutcome.WeakPassword, (await _access.ChangePasswordAsync(session, Password, "battery", Home, Stop)).Outcome);
        Assert.Equal(AccessOutcome.Granted, (await _access.ChangePasswordAsync(session, Password, "battery staple", Home, Stop)).Outcome);
        Assert.NotNull(_access.Find(token, Home));
        Assert.Null(_access.Find(other, Home));
        Assert.Equal(AccessOutcome.WrongPassword, (await _access.SignInAsync(Password, Home, null, Stop)).Outcome);
        Assert.Equal(AccessOutcome.Granted, (await _access.SignInAsync("battery staple", Home, null, Stop)).Outcome);
    }

    private async Task<string> ClaimAsync() => (await _access.ClaimAsync(Code, Password, Home, null, Stop)).Token!;
}
