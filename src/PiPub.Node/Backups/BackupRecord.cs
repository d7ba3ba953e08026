namespace PiPub.Node.Backups;

/// <summary>
/// What a record of a backup holds. A record is its kind (1 byte), the length of its body (4 bytes, little-endian), and the body.
/// </summary>
internal enum BackupRecord : byte
{
    /// <summary>Whose backup this is (JSON): the first record.</summary>
    About = 1,

    /// <summary>The text of the file <c>secret</c>.</summary>
    Secret = 2,

    /// <summary>The lines of <c>pipub.conf</c> that are not about the machine.</summary>
    Settings = 3,

    /// <summary>A table of <c>state.sqlite</c>: a JSON array of its name and its columns. Its rows follow.</summary>
    Table = 4,

    /// <summary>A row of the table before: a JSON array of values; bytes are an object with <c>b</c> in base64.</summary>
    Row = 5,

    /// <summary>A message's value exactly as signed. Each feed's messages stand in order.</summary>
    Message = 6,

    /// <summary>A blob: the 32 bytes of its id, then its bytes.</summary>
    Blob = 7,

    /// <summary>How many records, bytes and which hash there must have been of each kind (JSON): the last record.</summary>
    Manifest = 8,
}
