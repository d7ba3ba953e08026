using System.Text.Json;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Storage.Import;
using PiPub.Storage.State;

namespace PiPub.Node.Import;

/// <summary>
/// Offers the addresses that another program knew to the address book, as those that the network told: only public ones, and
/// no more than strangers may fill.
/// </summary>
/// <remarks>
/// Sources: ssb-conn-db 1.0.5 (<c>conn.json</c>, an object of addresses with what is known of each); ssb-gossip 1.1.1
/// (<c>gossip.json</c>, a list of objects with address, or host, port and key).
/// </remarks>
internal static class AddressImport
{
    private const int MaxTaken = 1000;

    /// <summary>Reads the files and answers how many addresses the book has taken.</summary>
    public static int Offer(LegacyDirectory source, AddressBook book)
    {
        var taken = 0;
        foreach (var path in source.AddressFiles)
        {
            try
            {
                if (new FileInfo(path).Length > LegacyDirectory.MaxSmallFile)
                {
                    continue;
                }

                using var json = JsonDocument.Parse(File.ReadAllBytes(path));
                foreach (var address in Addresses(json.RootElement))
                {
                    if (taken < MaxTaken && book.Remember(address, AddressSource.PubMessage))
                    {
                        taken++;
                    }
                }
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
            {
                // Addresses are a convenience: pubs tell theirs in their feeds, too.
            }
        }

        if (taken > 0)
        {
            book.Save();
        }

        return taken;
    }

    private static IEnumerable<MultiserverAddress> Addresses(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Array)
        {
            foreach (var entry in json.EnumerateArray())
            {
                if (PubAddress.TryRead(entry, out var address))
                {
                    yield return address;
                }
            }
        }
        else if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var entry in json.EnumerateObject())
            {
                if (MultiserverAddress.TryParseAny(entry.Name, out var address))
                {
                    yield return address;
                }
            }
        }
    }
}
