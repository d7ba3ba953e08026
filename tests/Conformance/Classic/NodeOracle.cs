using System.Buffers.Binary;
using System.Diagnostics;

namespace PiPub.Conformance.Classic;

/// <summary>What Node says to JSON texts: JSON.stringify(JSON.parse(text)), compact and indented, or null where it refuses.</summary>
internal static class NodeOracle
{
    public static async Task<List<(byte[] Compact, byte[] Indented)?>> AskAsync(IReadOnlyList<byte[]> texts, CancellationToken cancellationToken)
    {
        var script = Path.Combine(Repository.Root, "tests", "Conformance", "Classic", "oracle.js");
        using var node = Process.Start(new ProcessStartInfo("node", [script])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("node did not start.");

        var asking = Task.Run(
            async () =>
            {
                await using var input = new BufferedStream(node.StandardInput.BaseStream, 1 << 16);
                var length = new byte[4];
                foreach (var text in texts)
                {
                    BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
                    await input.WriteAsync(length, cancellationToken);
                    await input.WriteAsync(text, cancellationToken);
                }
            },
            cancellationToken);

        await using var output = new BufferedStream(node.StandardOutput.BaseStream, 1 << 16);
        var answers = new List<(byte[] Compact, byte[] Indented)?>(texts.Count);
        while (answers.Count < texts.Count)
        {
            answers.Add(await ReadAsync(output, cancellationToken) is { } compact
                ? (compact, (await ReadAsync(output, cancellationToken))!)
                : null);
        }

        await asking;
        await node.WaitForExitAsync(cancellationToken);
        return answers;
    }

    private static async Task<byte[]?> ReadAsync(Stream output, CancellationToken cancellationToken)
    {
        var head = new byte[4];
        await output.ReadExactlyAsync(head, cancellationToken);
        var length = BinaryPrimitives.ReadUInt32BigEndian(head);
        if (length == uint.MaxValue)
        {
            return null;
        }

        var body = new byte[length];
        await output.ReadExactlyAsync(body, cancellationToken);
        return body;
    }
}
