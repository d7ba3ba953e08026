using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>Who told of an address. The values are kept on disk.</summary>
public enum AddressSource
{
    /// <summary>The owner: in the configuration or by a command.</summary>
    Owner = 0,

    /// <summary>A pub message of somebody's feed.</summary>
    PubMessage = 1,

    /// <summary>An invite that the box used.</summary>
    Invite = 2,

    /// <summary>The local network; such addresses are not kept.</summary>
    LocalNetwork = 3,
}

/// <summary>An address at which a peer may be reached, and the experience with it.</summary>
/// <param name="Address">A multiserver address without a seed.</param>
/// <param name="Feed">Whom one meets there.</param>
/// <param name="Source">Who told of it.</param>
/// <param name="ConnectedAt">When it last worked; null for never.</param>
/// <param name="Failures">How many attempts have failed since.</param>
public sealed record KnownAddress(string Address, FeedId Feed, AddressSource Source, DateTimeOffset? ConnectedAt, int Failures);

/// <summary>The addresses of other peers, kept over restarts.</summary>
public sealed class KnownAddressesTable
{
    private readonly StateDatabase _state;

    /// <summary>Creates the table if it is missing.</summary>
    public KnownAddressesTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute(
            """
            CREATE TABLE IF NOT EXISTS known_addresses (
              address TEXT PRIMARY KEY, feed BLOB NOT NULL, source INTEGER NOT NULL, connected INTEGER, failures INTEGER NOT NULL)
            """);
    }

    /// <summary>All addresses.</summary>
    public IReadOnlyList<KnownAddress> List() =>
        _state.Query(
            "SELECT address, feed, source, connected, failures FROM known_addresses",
            static row => new KnownAddress(
                row.GetString(0),
                new FeedId((byte[])row[1]),
                (AddressSource)row.GetInt32(2),
                row.IsDBNull(3) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
                row.GetInt32(4)));

    /// <summary>Adds addresses or replaces what was known of them, in one transaction, which is one write to the card.</summary>
    public void Save(IReadOnlyList<KnownAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (addresses.Count == 0)
        {
            return;
        }

        _ = _state.InTransaction(() =>
        {
            foreach (var a in addresses)
            {
                _ = _state.Execute(
                    "INSERT OR REPLACE INTO known_addresses (address, feed, source, connected, failures) VALUES ($0, $1, $2, $3, $4)",
                    a.Address,
                    a.Feed.Bytes.ToArray(),
                    (int)a.Source,
                    a.ConnectedAt?.ToUnixTimeMilliseconds(),
                    a.Failures);
            }

            return true;
        });
    }

    /// <summary>Forgets an address. False when it was not known.</summary>
    public bool Remove(string address) => _state.Execute("DELETE FROM known_addresses WHERE address = $0", address) == 1;
}
