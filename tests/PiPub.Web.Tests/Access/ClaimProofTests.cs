using System.Net;
using PiPub.Web.Access;

namespace PiPub.Web.Tests.Access;

public sealed class ClaimProofTests : IDisposable
{
    private static readonly IPAddress Home = IPAddress.Parse("192.168.1.5");
    private static readonly IPAddress Elsewhere = IPAddress.Parse("203.0.113.5");

    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-claim").FullName;
    private readonly PlayedTime _time = new();

    private string File => Path.Combine(_directory, "claim.txt");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_button_opens_the_box_for_two_minutes_and_to_the_home_alone()
    {
        var proof = new ClaimProof(new ClaimCode(), Home.Equals, _time);
        Assert.False(proof.Accepts("", Home));
        proof.Press();
        Assert.True(proof.Accepts("", Home));
        Assert.False(proof.Accepts("", Elsewhere));
        Assert.True(proof.Accepts(proof.Code.Text, Elsewhere));
        _time.Advance(HomeDoor.OpenFor - TimeSpan.FromSeconds(1));
        Assert.True(proof.IsOpenFor(Home));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(proof.IsOpenFor(Home));
        Assert.False(proof.Accepts(null, Home));
    }

    [Theory]
    [InlineData("blue horse 42", "Blue Horse-42", true)]
    [InlineData("\uFEFFblue horse 42\r\n", "bluehorse42", true)]
    [InlineData("  grüner Käse  ", "GRÜNERKÄSE", true)]
    [InlineData("12345678", "1234-5678", true)]
    [InlineData("blue horse 42", "blue horse 43", false)]
    [InlineData("blue horse 42", "", false)]
    public void What_the_claim_file_says_is_the_code(string written, string typed, bool isRight)
    {
        System.IO.File.WriteAllText(File, written);
        var code = ClaimFile.Read(File, out var problem);
        Assert.Null(problem);
        Assert.Null(code!.Text);
        Assert.Equal(isRight, code.Matches(typed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("seven77")]
    [InlineData("!!!!!!!!!!!!")]
    public void A_code_that_anybody_could_guess_is_refused(string written)
    {
        System.IO.File.WriteAllText(File, written);
        Assert.Null(ClaimFile.Read(File, out var problem));
        Assert.Contains("at least 8 letters or digits", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_or_too_much_of_it_is_refused()
    {
        System.IO.File.WriteAllText(File, new string('a', ClaimCode.Most + 1));
        Assert.Null(ClaimFile.Read(File, out var problem));
        Assert.NotNull(problem);
        System.IO.File.WriteAllText(File, new string('a', 1 << 20));
        Assert.Null(ClaimFile.Read(File, out problem));
        Assert.NotNull(problem);
        System.IO.File.WriteAllBytes(File, [0xFF, 0xFE, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
        Assert.Null(ClaimFile.Read(File, out problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void Where_there_is_no_claim_file_nothing_is_wrong()
    {
        Assert.Null(ClaimFile.Read(File, out var problem));
        Assert.Null(problem);
        Assert.Null(ClaimFile.Read(null, out problem));
        Assert.Null(problem);
    }
}
