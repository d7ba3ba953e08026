using System.ComponentModel;
using System.Diagnostics;

namespace PiPub.Appliance.Network;

/// <summary>Has systemd-networkd read its files anew and act on them: <c>networkctl reload</c>.</summary>
/// <param name="command">The program; the name is looked for in the usual places.</param>
/// <remarks>Source: networkctl(1): an interface whose file changed is configured anew.</remarks>
public sealed class Networkctl(string command = "networkctl")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Does it.</summary>
    /// <exception cref="IOException">It is not there, or says no; the message is for a person.</exception>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, ["reload"]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            _ = process.StandardOutput.ReadToEndAsync(limit.Token);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                process.Kill();
                throw new IOException("networkctl reload did not come to an end.", e);
            }

            if (process.ExitCode != 0)
            {
                throw new IOException($"networkctl reload ended with {process.ExitCode}: {(await errors).Trim()}");
            }
        }
        catch (Win32Exception e)
        {
            throw new IOException($"networkctl cannot be started: {e.Message}. It comes with systemd-networkd, which a fixed address needs.", e);
        }
    }
}
