using FsCheck;
using FsCheck.Fluent;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds;
using static PiPub.Node.Intake.IntakeVerdict;

namespace PiPub.Node.Tests.Intake;

/// <summary>What holds for every order in which messages may arrive.</summary>
public sealed class IntakeProperties
{
    private static readonly List<Message>[] Feeds = [.. Enumerable.Range(10, 4).Select(seed => new TestAuthor(seed).WriteFeed(12))];

    private static Config Config => Config.QuickThrowOnFailure.WithMaxTest(60);

    [Fact]
    public void Any_interleaving_and_repetition_ends_in_the_same_feeds()
    {
        var all = Feeds.SelectMany(feed => feed).ToArray();
        var arrivals = Gen.Shuffle(all).SelectMany(_ => Gen.ArrayOf(Gen.Elements(all), 20), (shuffled, again) => shuffled.Concat(again).ToArray())
            .SelectMany(messages => Gen.Shuffle(messages))
            .SelectMany(_ => Gen.Choose(1, 3), (messages, sources) => (Messages: messages, Sources: sources));
        Check.One(Config, Prop.ForAll(arrivals.ToArbitrary(), a => EndsComplete(a.Messages, a.Sources).GetAwaiter().GetResult()));
    }

    [Fact]
    public void Nothing_unverified_is_ever_appended()
    {
        // Each message may be damaged in one byte or arrive whole; whatever the damage, only genuine bytes are stored.
        var damage = Gen.ArrayOf(Gen.Choose(0, 3).Zip(Gen.Choose(0, 10_000)).Zip(Gen.Choose(0, 255)), Feeds[0].Count);
        Check.One(Config, Prop.ForAll(damage.ToArbitrary(), d => StoresOnlyGenuine(d).GetAwaiter().GetResult()));
    }

    private static async Task<bool> EndsComplete(Message[] messages, int sources)
    {
        await using var door = new TestDoor(new IntakeOptions { MaxBatchMessages = 7, MaxQueuedMessages = 16 });
        var verdicts = await Task.WhenAll(Enumerable.Range(0, sources).Select(s => door.SubmitAsync(messages.Where((_, i) => i % sources == s))));
        Assert.DoesNotContain(verdicts.SelectMany(v => v), v => v is not (Appended or Known or Waiting));
        foreach (var feed in Feeds)
        {
            Assert.Equal(feed.Select(m => m.Value.ToArray()), door.Stored(feed[0].Author));
            Assert.Equal(TestAuthor.TipOf(feed), door.Store.Tip(feed[0].Author));
        }

        Assert.Equal(Feeds.Sum(f => f.Count), door.Observed.Count);
        return true;
    }

    private static async Task<bool> StoresOnlyGenuine(((int Chance, int At) Where, int Byte)[] damage)
    {
        await using var door = new TestDoor();
        var wires = Feeds[0].Select((message, i) =>
        {
            var wire = message.Value.ToArray();
            if (damage[i].Where.Chance == 0)
            {
                wire[damage[i].Where.At % wire.Length] = (byte)damage[i].Byte;
            }

            return (ReadOnlyMemory<byte>)wire;
        });
        await door.SubmitAsync(wires);
        var genuine = Feeds[0].Select(m => m.Value.ToArray()).ToArray();
        var stored = door.Stored(Feeds[0][0].Author);
        Assert.Equal(genuine.Take(stored.Count), stored);
        Assert.Equal(stored.Count, (int)door.Log.End);
        return true;
    }
}
