namespace PiPub.Scuttlebutt.Identities;

/// <summary>What is wrong with recovery words.</summary>
public enum RecoveryWordsFault
{
    /// <summary>There are more than a key has.</summary>
    TooMany,

    /// <summary>There are fewer than a key has.</summary>
    TooFew,

    /// <summary>One is not in the list.</summary>
    UnknownWord,

    /// <summary>All are in the list, but their checksum is wrong.</summary>
    Checksum,
}

/// <summary>Words that are not the recovery words of any key. The message is for the person who wrote them.</summary>
/// <param name="fault">What is wrong.</param>
/// <param name="position">The number of the word that is wrong, beginning with 1; else how many there are.</param>
/// <param name="word">The word that is wrong, its first 20 letters; else empty.</param>
public sealed class RecoveryWordsException(RecoveryWordsFault fault, int position, string word) : FormatException(fault switch
{
    RecoveryWordsFault.TooMany => $"There are more than {RecoveryWords.Count} words.",
    RecoveryWordsFault.TooFew => $"There are {position} words; a key has {RecoveryWords.Count}.",
    RecoveryWordsFault.UnknownWord => $"Word {position}, \"{word}\", is none of the words that are used. Look at it again.",
    _ => "These words do not belong together. Look whether one of them is another one, or whether two have changed places.",
})
{
    /// <summary>What is wrong.</summary>
    public RecoveryWordsFault Fault => fault;

    /// <summary>The number of the word that is wrong, beginning with 1; else how many there are.</summary>
    public int Position => position;

    /// <summary>The word that is wrong, its first 20 letters; else empty.</summary>
    public string Word => word;
}
