using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Configuration;
using PiPub.Node.Publishing;
using PiPub.Node.Replication;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.Setup;

namespace PiPub.Composition;

/// <summary>Changes the box as its owner says on the pages: at once, and in <c>pipub.conf</c> for the next start.</summary>
internal sealed class BoxSettings(PiPubOptions options, FeedId box, IPublisher publisher, ReplicationScheduler replication) : IBoxSettings
{
    public FeedId Id => box;

    public int Hops => replication.Hops;

    public async Task SetNameAsync(string name, CancellationToken cancellationToken)
    {
        var content = new ArrayBufferWriter<byte>(160);
        using (var json = new Utf8JsonWriter(content, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "about"u8);
            json.WriteString("about"u8, box.ToString());
            json.WriteString("name"u8, name);
            json.WriteEndObject();
        }

        try
        {
            _ = await publisher.PublishAsync(content.WrittenMemory, cancellationToken);
        }
        catch (Exception e) when (e is PublishRefusedException or IOException)
        {
            throw new RefusedException(Sentence.From(e), e);
        }
    }

    public void SetHops(int hops)
    {
        if (hops == replication.Hops)
        {
            return;
        }

        WrittenConfiguration.Write(options, ("hops", hops.ToString(CultureInfo.InvariantCulture)));
        options.Hops = hops;
        replication.Reconfigure(new ReplicationOptions { Hops = hops });
    }
}
