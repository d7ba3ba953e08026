using System.Text.Json;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Conformance.Classic;

/// <summary>ssb-validation-dataset 1.2.1: 126 messages that validators have disagreed about, with their verdicts.</summary>
public class ValidationDatasetTests(ITestOutputHelper output)
{
    [Fact]
    public void All_126_messages_get_the_verdict_of_the_dataset()
    {
        var cases = JsonElement.Parse(File.ReadAllBytes(Repository.Suite("ssb-validation-dataset", "data.json")));
        var wrong = new List<string>();
        var valid = 0;
        var i = 0;
        foreach (var c in cases.EnumerateArray())
        {
            var reason = Judge(c, out var message);
            var expected = c.GetProperty("valid").GetBoolean();
            valid += expected ? 1 : 0;
            output.WriteLine($"{i}: {reason ?? "valid"} ({c.GetProperty("error")})");
            if (expected != reason is null || (expected && message!.Id.ToString() != c.GetProperty("id").GetString()))
            {
                wrong.Add($"{i}: expected {(expected ? "valid" : c.GetProperty("error").GetString())}, got {reason ?? "valid " + message!.Id}");
            }

            i++;
        }

        Assert.Empty(wrong);
        Assert.Equal(126, i);
        Assert.Equal(27, valid);
    }

    private static string? Judge(JsonElement c, out Message? message)
    {
        message = null;
        HmacKey? hmacKey = null;
        var hmac = c.GetProperty("hmacKey");
        if (hmac.ValueKind != JsonValueKind.Null)
        {
            if (hmac.ValueKind != JsonValueKind.String || !HmacKey.TryParse(hmac.GetString(), out var key))
            {
                return "the HMAC key is none";
            }

            hmacKey = key;
        }

        var state = c.GetProperty("state");
        var tip = state.ValueKind == JsonValueKind.Null
            ? default
            : new FeedTip(state.GetProperty("sequence").GetInt32(), MessageId.Parse(state.GetProperty("id").GetString()));
        var wire = System.Text.Encoding.UTF8.GetBytes(c.GetProperty("message").GetRawText());
        if (!ClassicFeed.TryVerify(wire, hmacKey, out message, out var reason))
        {
            return reason;
        }

        var order = tip.Judge(message);
        return order == FeedOrder.Next ? null : order.ToString();
    }
}
