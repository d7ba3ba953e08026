using PiPub.Node.Discovery.Mdns;

namespace PiPub.Node.Tests.Discovery.Mdns;

public sealed class MdnsHostNameTests
{
    private const string Longest = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678";

    [Theory]
    [InlineData("pipub", "pipub")]
    [InlineData("PiPub", "pipub")]
    [InlineData("pipub-2", "pipub")]
    [InlineData("pipub-17", "pipub")]
    [InlineData("kitchen-2-2", "kitchen-2")]
    [InlineData("abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456-2", Longest)]
    public void A_machine_that_is_called_so_already_lends_its_name(string machine, string wanted) =>
        Assert.True(MdnsHostName.IsForBox(machine, wanted));

    [Theory]
    [InlineData("laptop", "pipub")]
    [InlineData("pipub2", "pipub")]
    [InlineData("pipub-", "pipub")]
    [InlineData("pipub-02", "pipub")]
    [InlineData("pipub-2a", "pipub")]
    [InlineData("pipub-2", "pipub-2-2")]
    [InlineData("my-pipub-2", "pipub")]
    [InlineData("pi-2", "pipub")]
    [InlineData("zbcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456-2", Longest)]
    public void Any_other_machine_keeps_its_name_to_itself(string machine, string wanted) =>
        Assert.False(MdnsHostName.IsForBox(machine, wanted));

    [Fact]
    public void The_name_is_told_with_the_reason_for_it()
    {
        Assert.Equal("On the local network this box is called pipub.local.", MdnsHostName.Words("pipub.local", "pipub.local"));
        Assert.Equal(
            "On the local network this box is called pipub-2.local, because something else there is called pipub.local already.",
            MdnsHostName.Words("pipub-2.local", "pipub.local"));
    }
}
