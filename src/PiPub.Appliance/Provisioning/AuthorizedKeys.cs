using System.Buffers.Binary;
using System.Text;
using PiPub.Node.Sentences;

namespace PiPub.Appliance.Provisioning;

/// <summary>The file <c>authorized_keys</c>: who may sign in by SSH. Without it nobody can, for then SSH is off.</summary>
/// <remarks>References: sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4253, 6.6 (a key begins with its algorithm's name, with its length before).</remarks>
public static class AuthorizedKeys
{
    /// <summary>The file's name.</summary>
    public const string Name = "authorized_keys";

    private static readonly string[] Algorithms =
    [
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ];

    /// <summary>Takes the lines that are keys.</summary>
    /// <param name="lines">The file.</param>
    /// <param name="problems">The lines that are none.</param>
    public static IReadOnlyList<string> Read(IReadOnlyList<string> lines, out IReadOnlyList<CardProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var (keys, found) = (new List<string>(), new List<CardProblem>());
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (IsKey(line))
            {
                keys.Add(line);
            }
            else
            {
                found.Add(line.Contains("PRIVATE KEY", StringComparison.Ordinal)
                    ? new CardProblem(Name, i + 1, Sentence.Of($"this is a private key, which must never leave your computer."), Sentence.Of($"Take it off the card, and put the file that ends with .pub there."))
                    : new CardProblem(Name, i + 1, Sentence.Of($"this is no public key of SSH."), Sentence.Of($"It is one long line that begins with its kind, such as ssh-ed25519: the content of ~/.ssh/id_ed25519.pub.")));
            }
        }

        problems = found;
        return keys;
    }

    private static bool IsKey(string line)
    {
        // Options may stand before it, and a comment after it.
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i + 1 < words.Length; i++)
        {
            if (Algorithms.Contains(words[i], StringComparer.Ordinal))
            {
                var bytes = new byte[words[i + 1].Length];
                return Convert.TryFromBase64String(words[i + 1], bytes, out var length) && IsOf(words[i], bytes.AsSpan(0, length));
            }
        }

        return false;
    }

    private static bool IsOf(string algorithm, ReadOnlySpan<byte> key) =>
        key.Length > 4 + algorithm.Length
        && BinaryPrimitives.ReadInt32BigEndian(key) == algorithm.Length
        && key.Slice(4, algorithm.Length).SequenceEqual(Encoding.ASCII.GetBytes(algorithm));
}
