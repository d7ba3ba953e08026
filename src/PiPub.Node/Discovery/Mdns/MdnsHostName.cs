namespace PiPub.Node.Discovery.Mdns;

/// <summary>Which host name the box has on the local network, and why. Sources: RFC 6762 section 9; avahi-common 0.8, alternative.c.</summary>
internal static class MdnsHostName
{
    /// <summary>
    /// Whether a machine's own name will do for the box: the one that is wanted, or the one that avahi-daemon takes when
    /// somebody else has that (<c>pipub-2</c>). Otherwise the box publishes a name beside the machine's.
    /// </summary>
    /// <param name="machine">The machine's name, without domain.</param>
    /// <param name="wanted">The name that is wanted, at most 63 characters.</param>
    public static bool IsForBox(string machine, string wanted)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(wanted);
        if (machine.Equals(wanted, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var dash = machine.LastIndexOf('-');
        if (dash < 0 || !IsNumber(machine.AsSpan(dash + 1)))
        {
            return false;
        }

        // A name of nearly 63 characters is cut to make room for the number.
        var stem = machine.AsSpan(0, dash);
        var isCut = machine.Length == 63;
        return isCut
            ? wanted.AsSpan().StartsWith(stem, StringComparison.OrdinalIgnoreCase)
            : stem.Equals(wanted, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Tells a person which name it is, and why not the one that was wanted.</summary>
    /// <param name="name">The whole name, such as <c>pipub-2.local</c>.</param>
    /// <param name="wanted">The whole name that was wanted.</param>
    public static string Words(string name, string wanted) => name.Equals(wanted, StringComparison.OrdinalIgnoreCase)
        ? $"On the local network this box is called {name}."
        : $"On the local network this box is called {name}, because something else there is called {wanted} already.";

    private static bool IsNumber(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 9 || text[0] == '0')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
        }

        return true;
    }
}
