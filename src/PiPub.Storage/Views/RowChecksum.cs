using System.Buffers.Binary;
using System.Text;
using Microsoft.Data.Sqlite;
using PiPub.Storage.Log;

namespace PiPub.Storage.Views;

/// <summary>
/// A CRC-32C that rows carry as their last column. SQLite notices damage in how its pages are built, not in what they hold: a changed byte
/// could turn a follow into a block.
/// </summary>
internal static class RowChecksum
{
    private const long None = -1;

    /// <summary>The checksum of a row of whole numbers, texts and blobs.</summary>
    public static long Of(params ReadOnlySpan<object> columns)
    {
        uint sum = 0;
        foreach (var column in columns)
        {
            switch (column)
            {
                case byte[] bytes:
                    sum = Add(sum, bytes.Length, bytes);
                    break;
                case string text:
                    var utf8 = Encoding.UTF8.GetBytes(text);
                    sum = Add(sum, utf8.Length, utf8);
                    break;
                case long number:
                    sum = Add(sum, number, []);
                    break;
                case int number:
                    sum = Add(sum, number, []);
                    break;
                default:
                    return None;
            }
        }

        return sum;
    }

    /// <summary>Looks whether a row is what was written: all its columns have to be read, the checksum last.</summary>
    /// <exception cref="ViewDamagedException">It is not.</exception>
    public static void Check(SqliteDataReader reader)
    {
        var columns = new object[reader.FieldCount];
        reader.GetValues(columns);
        if (columns[^1] is not long sum || sum != Of(columns.AsSpan(0, columns.Length - 1)))
        {
            throw new ViewDamagedException();
        }
    }

    private static uint Add(uint sum, long number, ReadOnlySpan<byte> bytes)
    {
        Span<byte> first = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(first, number);
        return Crc32C.Compute(bytes, Crc32C.Compute(first, sum));
    }
}
