using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PiPub.Appliance.Provisioning;

/// <summary>Gives files to a user of the machine, as root can.</summary>
/// <param name="User">The user's number.</param>
/// <param name="Group">Their group's number.</param>
public sealed partial record FileOwner(uint User, uint Group)
{
    private const string Users = "/etc/passwd";

    /// <summary>Finds a user; null where there is none of that name.</summary>
    /// <remarks>Reference: passwd(5): name, password, uid, gid and more, with colons between.</remarks>
    public static FileOwner? Find(string name)
    {
        foreach (var line in File.Exists(Users) ? File.ReadLines(Users) : [])
        {
            if (line.Split(':') is [var user, _, var uid, var gid, ..] && user == name
                && uint.TryParse(uid, NumberStyles.None, CultureInfo.InvariantCulture, out var userNumber)
                && uint.TryParse(gid, NumberStyles.None, CultureInfo.InvariantCulture, out var groupNumber))
            {
                return new FileOwner(userNumber, groupNumber);
            }
        }

        return null;
    }

    /// <summary>Gives a file or a directory to them.</summary>
    /// <exception cref="IOException">It cannot be given away.</exception>
    public void Give(string path)
    {
        if (chown(path, User, Group) != 0)
        {
            throw new IOException($"{path} could not be given to its user: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint owner, uint group);
}
