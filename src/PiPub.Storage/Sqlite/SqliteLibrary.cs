using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PiPub.Storage.Sqlite;

/// <summary>Joins the ADO.NET provider to the distribution's libsqlite3, so that its security updates are ours.</summary>
internal static class SqliteLibrary
{
    private static readonly Lock Gate = new();
    private static bool _ready;

    /// <summary>Opens a database file, made when missing, ready for one user at a time.</summary>
    public static SqliteConnection Open(string path)
    {
        Prepare();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
        }.ToString());
        connection.Open();
        return connection;
    }

    private static void Prepare()
    {
        lock (Gate)
        {
            if (_ready)
            {
                return;
            }

            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            _ready = true;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != "e_sqlite3")
        {
            return 0;
        }

        if (NativeLibrary.TryLoad("libsqlite3.so.0", assembly, path, out var handle)
            || NativeLibrary.TryLoad("libsqlite3", assembly, path, out handle))
        {
            return handle;
        }

        throw new DllNotFoundException("PiPub needs SQLite, which is not installed. On Debian: apt-get install libsqlite3-0");
    }
}
