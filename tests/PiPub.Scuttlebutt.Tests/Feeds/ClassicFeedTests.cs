using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Feeds;

public class ClassicFeedTests
{
    private static readonly KeyPair Author = KeyPair.FromSeed(Enumerable.Repeat((byte)5, 32).ToArray());
    private static readonly Message First = Make(default, """{"type":"post","text":"one"}""");
    private static readonly string Wire = Encoding.UTF8.GetString(First.Value.Span);

    [Fact]
    public void A_compact_value_is_kept_without_a_copy_and_any_other_as_its_compact_form()
    {
        ReadOnlyMemory<byte> wire = Encoding.UTF8.GetBytes(Wire);
        Assert.True(ClassicFeed.TryVerify(wire, null, out var message, out _));
        Assert.True(wire.Equals(message.Value));

        var spelled = Encoding.UTF8.GetBytes(" " + Wire.Replace(",", ", ").Replace("one", "\\u006fne").Replace("1700000000000", "17e11") + "\n");
        Assert.True(ClassicFeed.TryVerify(spelled, null, out var same, out var reason), reason);
        Assert.Equal(First.Id, same.Id);
        Assert.Equal(Wire, Encoding.UTF8.GetString(same.Value.Span));
    }

    [Fact]
    public void Characters_beyond_latin1_are_signed_as_UTF8_and_named_by_their_low_bytes()
    {
        var message = Make(default, """{"type":"post","text":"é € 😀 ÿ \u0100 \ud800"}""");
        Assert.True(ClassicFeed.TryVerify(message.Value, null, out var again, out _));
        Assert.Equal(message.Id, again.Id);
        var text = Encoding.UTF8.GetString(CanonicalJson.Stringify(message.Value.Span, indented: true));
        var low = text.Select(unit => (byte)unit).ToArray();
        Assert.Equal(new MessageId(System.Security.Cryptography.SHA256.HashData(low)), message.Id);
    }

    [Theory]
    [InlineData("", "it is not JSON: it ends in the middle")]
    [InlineData("null", "it is not an object")]
    [InlineData("{}", "it has 0 fields where a classic message has 7")]
    [InlineData("[1,2,3,4,5,6,7]", "it is not an object")]
    [InlineData("{\"a\":1}x", "it is not JSON: something follows after its end")]
    public void What_is_no_message_is_refused_in_words(string wire, string reason) => AssertRefused(wire, reason);

    [Theory]
    [InlineData("\"previous\":null", "\"previous\":\"%x\"", "its previous is neither null nor a message id")]
    [InlineData("\"previous\":null", "\"previous\":\"%MFilD3Ra9Izn0FMm3xscEwwXKwAnCP/5FjgcotLFdjo=.sha256\"", "it is the first of its feed, but has a previous")]
    [InlineData("\"sequence\":1", "\"sequence\":2", "it has no previous, but its sequence is not 1")]
    [InlineData("\"sequence\":1", "\"sequence\":0", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"sequence\":1", "\"sequence\":-1", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"sequence\":1", "\"sequence\":1.5", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"sequence\":1", "\"sequence\":1073741824", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"sequence\":1", "\"sequence\":99999999999999999999", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"sequence\":1", "\"sequence\":\"1\"", "its sequence is not a whole number from 1 to 1073741823")]
    [InlineData("\"hash\":\"sha256\"", "\"hash\":\"sha512\"", "its hash is not \"sha256\"")]
    [InlineData("\"timestamp\":1700000000000", "\"timestamp\":\"1700000000000\"", "its timestamp is not a number")]
    [InlineData("\"timestamp\":1700000000000", "\"timestamp\":1e999", "its timestamp is not a number")]
    [InlineData("\"content\":{", "\"extra\":1,\"content\":{", "it has 8 fields where a classic message has 7")]
    [InlineData("\"type\":\"post\"", "\"type\":\"po\"", "the type of its content is not 3 to 52 characters long")]
    [InlineData("\"type\":\"post\"", "\"type\":7", "its content has no type")]
    [InlineData("\"type\":\"post\"", "\"nested\":{\"type\":\"post\"}", "its content has no type")]
    [InlineData("\"text\":\"one\"", "\"text\":\"two\"", "its signature does not match its author and text")]
    [InlineData(".sig.ed25519", ".sig.ed25518", "its signature is not 64 bytes of canonical base64 with .sig.ed25519")]
    [InlineData("==.sig", "=.sig", "its signature is not 64 bytes of canonical base64 with .sig.ed25519")]
    [InlineData("\"author\":\"@", "\"author\":\"%", "its author is not a feed id")]
    public void A_changed_field_is_refused_in_words(string from, string to, string reason)
    {
        Assert.Contains(from, Wire, StringComparison.Ordinal);
        AssertRefused(Wire.Replace(from, to), reason);
    }

    [Theory]
    [InlineData("\"e30=.box\"", true)]
    [InlineData("\"e30=.box2\"", true)]
    [InlineData("\"e30=.box.of.another.kind\"", true)]
    [InlineData("\".box\"", true)]
    [InlineData("\"e31=.box\"", false)]
    [InlineData("\"e30.box\"", false)]
    [InlineData("\"e30=.bo\"", false)]
    [InlineData("\"e30=.box\\nline\"", false)]
    [InlineData("\"e30=.box\\\\n\"", true)]
    [InlineData("\"e30=.box\u2028\"", false)]
    [InlineData("\"plain.box\"", false)]
    public void A_string_must_be_a_ciphertext(string content, bool allowed)
    {
        var error = Record.Exception(() => Make(default, content));
        Assert.Equal(allowed, error is null);
    }

    [Fact]
    public void The_longest_message_is_counted_in_UTF16_units()
    {
        var room = ClassicFeed.MaxLength - CanonicalLength(Make(default, """{"type":"post","text":""}"""));
        foreach (var (character, units) in new[] { ("x", 1), ("€", 1), ("😀", 2), ("\\n", 2), ("\\u0001", 6) })
        {
            var fits = string.Concat(Enumerable.Repeat(character, room / units)) + new string('y', room % units);
            Assert.Equal(ClassicFeed.MaxLength, CanonicalLength(Make(default, $$"""{"type":"post","text":"{{fits}}"}""")));
            Assert.Contains("8193 characters", Assert.Throws<FormatException>(() => Make(default, $$"""{"type":"post","text":"{{fits}}z"}""")).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_value_that_is_much_too_long_is_refused_before_it_is_read() =>
        AssertRefused(new string(' ', ClassicFeed.MaxWireBytes + 1), "it is longer than 65536 bytes");

    [Fact]
    public void Peeking_tells_what_a_message_claims()
    {
        var second = Make(new FeedTip(1, First.Id), """{"type":"post"}""");
        foreach (var (message, sequence) in new[] { (First, 1), (second, 2) })
        {
            var wire = Encoding.UTF8.GetString(message.Value.Span);
            var swapped = wire.Replace($"\"sequence\":{sequence},\"author\":\"{Author.Id}\"", $"\"author\":\"{Author.Id}\",\"sequence\":{sequence}");
            foreach (var form in new[] { wire, swapped, wire.Replace(":", " : "), swapped.Replace(",", " ,") })
            {
                Assert.True(ClassicFeed.TryPeek(Encoding.UTF8.GetBytes(form), out var author, out var claimed), form);
                Assert.Equal((Author.Id, sequence), (author, claimed));
            }
        }

        foreach (var nothing in new[] { "", "{", "[]", "1", "{\"author\":1}", "{\"previous\":null,\"sequence\":1", Wire.Replace("\"sequence\":1", "\"sequence\":1e99"), Wire[..60], "{\"\\ud800xxxx\":1}" })
        {
            Assert.False(ClassicFeed.TryPeek(Encoding.UTF8.GetBytes(nothing), out _, out _), nothing);
        }
    }

    [Fact]
    public void A_wrapped_value_is_unwrapped_and_a_bare_one_left()
    {
        foreach (var item in new[]
        {
            Wire,
            $$"""{"key":"{{First.Id}}","value":{{Wire}},"timestamp":1700000000001.5}""",
            $$""" { "timestamp" : 1 , "value":{{Wire}} } """,
        })
        {
            Assert.True(ClassicFeed.TryUnwrap(Encoding.UTF8.GetBytes(item), out var value));
            Assert.Equal(Wire, Encoding.UTF8.GetString(value.Span));
        }

        Assert.True(ClassicFeed.TryUnwrap(Encoding.UTF8.GetBytes(Wire.Replace("{\"previous\"", "{ \"previous\"")), out _));
        foreach (var item in new[] { "", "[]", "true", "{\"value\":1}", "{\"sync\":true}", "{\"value\":{", "{\"\\ud800xxxx\":1}" })
        {
            Assert.False(ClassicFeed.TryUnwrap(Encoding.UTF8.GetBytes(item), out _), item);
        }
    }

    [Fact]
    public void A_batch_gives_each_message_its_own_verdict()
    {
        var wires = new ReadOnlyMemory<byte>[500];
        var feed = new List<Message>();
        for (var i = 0; i < wires.Length; i++)
        {
            feed.Add(Make(i == 0 ? default : new FeedTip(i, feed[^1].Id), $$"""{"type":"post","text":"{{i}}"}"""));
            wires[i] = i % 7 == 3 ? feed[i].Value[..^1] : feed[i].Value;
        }

        foreach (var count in new[] { 0, 1, 7, 8, 9, 500 })
        {
            var verdicts = new ClassicVerdict[500];
            ClassicFeed.VerifyBatch(wires.AsMemory(0, count), null, verdicts);
            for (var i = 0; i < 500; i++)
            {
                Assert.Equal(i < count && i % 7 != 3 ? feed[i].Id : null, verdicts[i].Message?.Id);
                Assert.Equal(i < count && i % 7 == 3, verdicts[i].Reason is not null);
            }
        }

        Assert.Throws<ArgumentException>(() => ClassicFeed.VerifyBatch(wires, null, new ClassicVerdict[3]));
    }

    [Fact]
    public void Hostile_bytes_are_refused_and_never_throw()
    {
        var original = First.Value.ToArray();
        var damage = Gen.ArrayOf(Gen.Choose(0, original.Length - 1).Zip(Gen.Choose(0, 255)), 4).SelectMany(_ => Gen.Choose(0, original.Length), (changes, cut) => (changes, cut));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(damage.ToArbitrary(), d =>
        {
            var wire = original.ToArray();
            foreach (var (at, value) in d.changes)
            {
                wire[at] = (byte)value;
            }

            var cut = d.cut % 3 == 0 ? wire[..d.cut] : wire;
            _ = ClassicFeed.TryPeek(cut, out _, out _);
            _ = ClassicFeed.TryUnwrap(cut, out _);
            return ClassicFeed.TryVerify(cut, null, out var message, out var reason)
                ? message.Id == First.Id
                : !string.IsNullOrEmpty(reason);
        }));
    }

    private static Message Make(FeedTip tip, string content) => ClassicFeed.Create(Author, tip, 1_700_000_000_000, Encoding.UTF8.GetBytes(content));

    private static int CanonicalLength(Message message) => Encoding.UTF8.GetCharCount(CanonicalJson.Stringify(message.Value.Span, indented: true));

    private static void AssertRefused(string wire, string expected)
    {
        Assert.False(ClassicFeed.TryVerify(Encoding.UTF8.GetBytes(wire), null, out var message, out var reason));
        Assert.Null(message);
        Assert.Equal(expected, reason);
    }
}
