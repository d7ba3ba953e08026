using Microsoft.Data.Sqlite;
using PiPub.Storage.State;

namespace PiPub.Tests;

/// <summary>
/// A machine whose update was not well goes back to the version before, which finds data that the newer one has had. What versions may do
/// to data so that this works is said in src/README.md; here is one that did all of it.
/// </summary>
public sealed class NewerVersionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_version_before_starts_and_goes_on_with_what_a_newer_one_has_left()
    {
        string id;
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            id = box.Id;
            await box.DoAsync("publish", "--text", "before the update");
        }

        using (var state = StateDatabase.Open(_directory.Path))
        {
            foreach (var table in StateTables.In(state))
            {
                state.Execute($"ALTER TABLE \"{table}\" ADD COLUMN of_next_year TEXT NOT NULL DEFAULT 'something'");
            }

            state.Execute("CREATE TABLE of_next_year (name TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO of_next_year (name) VALUES ('something'); PRAGMA user_version=7");
        }

        MakeViewsAnew();
        await File.WriteAllTextAsync(_directory.In("of-next-year.json"), "{}", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_directory.In("of-next-year"));

        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            Assert.Equal(id, box.Id);
            Assert.Equal(1, (await box.AskAsync("status")).GetProperty("messages").GetInt32());
            Assert.Equal(2, (await box.AskAsync("publish", "--text", "after it")).GetProperty("value").GetProperty("sequence").GetInt32());
            Assert.Contains("~", await box.DoAsync("invite", "create"), StringComparison.Ordinal);
            Assert.True((await box.AskAsync("verify")).GetProperty("clean").GetBoolean());
        }

        // What only the newer version knows is still there for its next attempt.
        using (var state = StateDatabase.Open(_directory.Path))
        {
            Assert.Equal(["something"], state.Query("SELECT name FROM of_next_year", static row => row.GetString(0)));
        }
    }

    /// <summary>Views of a form that this version does not know. They are made from the log, by whichever version runs.</summary>
    private void MakeViewsAnew()
    {
        using var views = new SqliteConnection($"Data Source={_directory.In("views.sqlite")};Pooling=False");
        views.Open();
        using var change = views.CreateCommand();
        change.CommandText = "DROP TABLE progress; CREATE TABLE progress (of_next_year TEXT); PRAGMA user_version=99";
        change.ExecuteNonQuery();
    }
}
