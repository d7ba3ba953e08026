namespace PiPub.Storage.Log;

/// <summary>
/// Bytes of the log are not what was written: a failing disk or card, or something other than PiPub wrote there.
/// </summary>
public sealed class LogDamagedException : IOException
{
    /// <summary>Says what is wrong, where, and what to do.</summary>
    public LogDamagedException(string file, long position, long offset, string what)
        : base($"The message log is damaged at position {position} (byte {offset} of {file}): {what}. "
            + "Messages elsewhere are whole. Stop PiPub and put the file back from a backup, or salvage what is whole with "
            + "'pipub verify --salvage': the messages left out are then fetched again from peers. A disk that does this should be replaced.")
    {
        File = file;
        Position = position;
        Offset = offset;
        What = what;
    }

    /// <summary>The segment file.</summary>
    public string File { get; }

    /// <summary>The position in the log of the record that cannot be read.</summary>
    public long Position { get; }

    /// <summary>The same place as a byte offset in the file.</summary>
    public long Offset { get; }

    /// <summary>What is wrong there.</summary>
    public string What { get; }
}
