using System.Buffers;
using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Scuttlebutt.Tests.Replication;

public class EbtNotesTests
{
    private const string A = "@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519";
    private const string B = "@6CAxOI3f+LUOVrbAl0IemqiS7ATpQvr9Mdw9LC4+Uv0=.ed25519";

    [Theory]
    [InlineData(-1, false, -1, false)]
    [InlineData(0, true, 0, true)]
    [InlineData(1, true, 0, false)]
    [InlineData(6, true, 3, true)]
    [InlineData(7, true, 3, false)]
    [InlineData(-2, false, -1, false)]
    [InlineData(int.MaxValue, true, EbtNote.MaxSequence, false)]
    public void A_note_is_a_sequence_and_whether_to_send_what_follows(int value, bool replicate, int sequence, bool receive)
    {
        var note = new EbtNote(value);
        Assert.Equal((replicate, sequence, receive), (note.Replicate, note.Sequence, note.Receive));
        Assert.Equal(note.Replicate ? note : EbtNote.NotReplicated, note.Replicate ? EbtNote.Of(sequence, receive) : EbtNote.NotReplicated);
    }

    [Fact]
    public void Notes_come_back_as_written()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new EbtNotesWriter(output);
        writer.Write(FeedId.Parse(A), EbtNote.Of(3, true));
        writer.Write(FeedId.Parse(B), EbtNote.NotReplicated);
        writer.End();
        Assert.Equal($$"""{"{{A}}":6,"{{B}}":-1}""", Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal([(A, 6), (B, -1)], Read(Encoding.UTF8.GetString(output.WrittenSpan)));
    }

    [Fact]
    public void Empty_notes_are_an_empty_object()
    {
        var output = new ArrayBufferWriter<byte>();
        new EbtNotesWriter(output).End();
        Assert.Equal("{}"u8, output.WrittenSpan);
        Assert.Empty(Read("{}"));
    }

    [Fact]
    public void Keys_that_are_no_feed_are_passed_over_and_values_that_are_no_integer_mean_no()
    {
        Assert.Equal(
            [(A, 5), (B, -1)],
            Read($$"""{"x":{"{{B}}":1},"&l":[1,{"a":2}],"{{A}}":5,"@short.ed25519":2,"{{B}}":1.5}"""));
        Assert.Equal([(A, -1), (B, -1)], Read($$"""{"{{A}}":"6","{{B}}":{"seq":4} }"""));
        Assert.Equal([(A, -1), (B, -1)], Read($$"""{"{{A}}":99999999999,"{{B}}":-7}"""));
    }

    [Fact]
    public void Notes_may_be_wrapped_in_a_clock_among_other_things()
    {
        Assert.Equal([(A, 5), (B, 2)], Read($$"""{"version":3,"clock":{"{{A}}":5},"{{B}}":2}"""));
        Assert.Equal([(B, 2)], Read($$"""{"clock":7,"{{B}}":2}"""));
    }

    [Fact]
    public void An_escaped_slash_in_a_key_is_the_same_feed()
    {
        const string slash = "@6CAxOI3f/LUOVrbAl0IemqiS7ATpQvr9Mdw9LC4+Uv0=.ed25519";
        Assert.Equal([(slash, 2)], Read($$"""{"{{slash.Replace("/", "\\/", StringComparison.Ordinal)}}":2}"""));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("")]
    [InlineData("{\"a\":")]
    [InlineData("{}{}")]
    public void What_is_no_object_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => Read(json));

    [Fact]
    public void The_vectors_hold()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors.json")));
        var count = 0;
        foreach (var vector in vectors.RootElement.GetProperty("ebt_notes").EnumerateArray())
        {
            var sequence = vector.GetProperty("seq").GetInt32();
            var note = sequence < 0 ? EbtNote.NotReplicated : EbtNote.Of(sequence, vector.GetProperty("receive").GetBoolean());
            Assert.Equal(vector.GetProperty("encoded").GetInt32(), note.Value);
            count++;
        }

        Assert.NotEqual(0, count);
    }

    [Fact]
    public void What_is_remembered_of_a_peer_survives_and_damage_forgets_it()
    {
        var memory = new EbtMemory();
        memory.Set(FeedId.Parse(A), 300, -1);
        memory.Set(FeedId.Parse(B), EbtMemory.Unknown, int.MaxValue - 2);
        var bytes = memory.Encode();
        var again = EbtMemory.Decode(bytes);
        Assert.True(again.TryGet(FeedId.Parse(A), out var remote, out var told));
        Assert.Equal((300, -1), (remote, told));
        Assert.True(again.TryGet(FeedId.Parse(B), out remote, out told));
        Assert.Equal((EbtMemory.Unknown, int.MaxValue - 2), (remote, told));
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 0x10;
            Assert.Equal(0, EbtMemory.Decode(damaged).Count);
            Assert.Equal(0, EbtMemory.Decode(bytes.AsSpan(0, i)).Count);
        }
    }

    private static List<(string Feed, int Value)> Read(string json)
    {
        var found = new List<(string, int)>();
        var reader = new EbtNotesReader(Encoding.UTF8.GetBytes(json));
        while (reader.Read(out var feed, out var note))
        {
            found.Add((feed.ToString(), note.Value));
        }

        return found;
    }
}
