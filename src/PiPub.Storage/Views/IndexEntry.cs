namespace PiPub.Storage.Views;

/// <summary>One line of an index: a key that is looked for, the position of a message, and a small tag.</summary>
internal readonly record struct IndexEntry(long Key, long Position, int Tag = 0) : IComparable<IndexEntry>
{
    /// <summary>The entry that would come directly after this one.</summary>
    public IndexEntry Next => this with { Tag = Tag + 1 };

    public static bool operator <(IndexEntry left, IndexEntry right) => left.CompareTo(right) < 0;

    public static bool operator >(IndexEntry left, IndexEntry right) => left.CompareTo(right) > 0;

    public static bool operator <=(IndexEntry left, IndexEntry right) => left.CompareTo(right) <= 0;

    public static bool operator >=(IndexEntry left, IndexEntry right) => left.CompareTo(right) >= 0;

    public int CompareTo(IndexEntry other)
    {
        var order = Key.CompareTo(other.Key);
        if (order == 0)
        {
            order = Position.CompareTo(other.Position);
        }

        return order == 0 ? Tag.CompareTo(other.Tag) : order;
    }
}
