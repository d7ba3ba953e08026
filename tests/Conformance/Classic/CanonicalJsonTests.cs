using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Feeds.Classic;

namespace PiPub.Conformance.Classic;

public class CanonicalJsonTests(ITestOutputHelper output)
{
    private const int Texts = 50_000;

    /// <summary>The seed of this run: always the same, unless TEST_SEED gives another.</summary>
    private static ulong Seed => ulong.Parse(Environment.GetEnvironmentVariable("TEST_SEED") ?? "20250101", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Fifty_thousand_generated_texts_are_written_as_Node_writes_them()
    {
        output.WriteLine($"seed {Seed}");
        var texts = new List<byte[]>(Texts);
        for (var size = 0; texts.Count < Texts; size++)
        {
            texts.AddRange(JsonTexts.Any.Sample(Math.Min(500, Texts - texts.Count), new Rnd(Seed + (ulong)size), 1 + (size % 40)));
        }

        var answers = await NodeOracle.AskAsync(texts, TestContext.Current.CancellationToken);
        var json = new CanonicalJson();
        var accepted = 0;
        for (var i = 0; i < texts.Count; i++)
        {
            accepted += answers[i] is null ? 0 : 1;
            AssertSame(json, texts[i], answers[i]);
        }

        output.WriteLine($"{accepted} of {texts.Count} are JSON");
        Assert.Equal(Texts, texts.Count);
        Assert.InRange(accepted, Texts * 7 / 10, Texts * 99 / 100);
    }

    private static void AssertSame(CanonicalJson json, byte[] text, (byte[] Compact, byte[] Indented)? answer)
    {
        var readable = Encoding.Latin1.GetString(text);
        if (answer is not { } expected)
        {
            Assert.False(json.TryWrite(text, indented: false), $"Node refuses this: {readable}");
            Assert.False(json.TryWrite(text, indented: true), $"Node refuses this: {readable}");
            Assert.NotNull(json.Error);
            return;
        }

        Assert.True(json.TryWrite(text, indented: false), $"Node accepts this: {readable}\nrefused: {json.Error} at {json.ErrorOffset}");
        AssertBytes(expected.Compact, json.Written, readable);
        Assert.Equal(Encoding.UTF8.GetCharCount(expected.Compact), json.Utf16Length);
        Assert.Equal(expected.Compact.AsSpan().SequenceEqual(text), json.InputWasCompact);

        Assert.True(json.TryWrite(text, indented: true), $"Node accepts this: {readable}\nrefused: {json.Error} at {json.ErrorOffset}");
        AssertBytes(expected.Indented, json.Written, readable);
        Assert.Equal(Encoding.UTF8.GetCharCount(expected.Indented), json.Utf16Length);
        Assert.Equal(expected.Compact.AsSpan().SequenceEqual(text), json.InputWasCompact);
    }

    private static void AssertBytes(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string text)
    {
        if (!expected.SequenceEqual(actual))
        {
            Assert.Fail($"text:\n{text}\nNode:\n{Encoding.UTF8.GetString(expected)}\nPiPub:\n{Encoding.UTF8.GetString(actual)}");
        }
    }
}
