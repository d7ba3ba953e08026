using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.SocialGraph;

/// <summary>
/// The calls <c>friends.*</c>, for the owner's tools: isFollowing, isBlocking, hops, hopStream, graph, graphStream, and
/// the classic stack's get and stream.
/// </summary>
/// <remarks>Source: ssb-friends 5.1.7 index.js; ssb-friends 4.1.4 legacy.js (get, stream).</remarks>
public sealed class FriendsMethods(FollowGraph graph)
{
    // A stream whose reader is slower than this many batches of changes is ended rather than kept in memory.
    private const int MaxWaiting = 1024;

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("friends.isFollowing", RpcCallers.Owner, (request, _) => new(Answer(request, ContactState.Following)));
        methods.Async("friends.isBlocking", RpcCallers.Owner, (request, _) => new(Answer(request, ContactState.Blocking)));
        methods.Async("friends.hops", RpcCallers.Owner, (request, _) => new(Hops(request)));
        methods.Source("friends.hopStream", RpcCallers.Owner, HopStreamAsync);
        methods.Async("friends.graph", RpcCallers.Owner, (_, _) => new(GraphJson(Value)));
        methods.Source("friends.graphStream", RpcCallers.Owner, GraphStreamAsync);
        methods.Async("friends.get", RpcCallers.Owner, (request, _) => new(Get(request)));
        methods.Source("friends.stream", RpcCallers.Owner, ClassicStreamAsync);
    }

    private static FeedId Feed(JsonElement options, string name)
    {
        var value = options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out var given) ? given : default;
        return value.ValueKind == JsonValueKind.String && FeedId.TryParse(value.GetString(), out var feed)
            ? feed
            : throw new RpcException($"\"{name}\" must be a feed id, such as @...=.ed25519");
    }

    private static bool Flag(JsonElement options, string name, bool otherwise) =>
        options.ValueKind != JsonValueKind.Object || !options.TryGetProperty(name, out var value)
            ? otherwise
            : value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Number => value.GetDouble() != 0,
                _ => otherwise,
            };

    private static RpcBody Write(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }

        return RpcBody.Json(output.WrittenMemory);
    }

    private static void Value(Utf8JsonWriter json, ContactState state) => json.WriteNumberValue((int)state);

    /// <summary>The classic stack's words: true for a follow, false for a block, null for neither.</summary>
    private static void ClassicValue(Utf8JsonWriter json, ContactState state)
    {
        if (state == ContactState.Neutral)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteBooleanValue(state == ContactState.Following);
        }
    }

    private RpcBody Answer(RpcRequest request, ContactState state)
    {
        var options = request.Arg(0);
        var answer = graph.State(Feed(options, "source"), Feed(options, "dest")) == state;
        return Flag(options, "details", false)
            ? RpcBody.Json($$"""{"response":{{(answer ? "true" : "false")}},"private":false}""")
            : RpcBody.Json(answer ? "true" : "false");
    }

    private RpcBody Hops(RpcRequest request)
    {
        var options = request.Arg(0);
        var given = options.ValueKind == JsonValueKind.Object;
        var start = given && options.TryGetProperty("start", out _) ? Feed(options, "start") : graph.Box;
        var max = given && options.TryGetProperty("max", out var value) && value.TryGetInt32(out var number) && number is > 0 and < 100
            ? number
            : graph.MaxHops;
        var reverse = Flag(options, "reverse", false);
        return HopsJson(start == graph.Box && max == graph.MaxHops && !reverse ? graph.AllHops() : graph.AllHops(start, max, reverse));
    }

    private static RpcBody HopsJson(IEnumerable<KeyValuePair<FeedId, int>> hops) => Write(json =>
    {
        json.WriteStartObject();
        foreach (var (feed, distance) in hops)
        {
            json.WriteNumber(feed.ToString(), distance);
        }

        json.WriteEndObject();
    });

    private async Task HopStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var live = Flag(request.Arg(0), "live", true);
        var changes = Queue();
        void Add(IReadOnlyList<HopsChange> hops)
        {
            var values = hops.Where(change => change.Hops is not null).Select(change => KeyValuePair.Create(change.Feed, change.Hops!.Value));
            Offer(changes, HopsJson(values));
        }

        if (live)
        {
            graph.HopsChanged += Add;
        }

        try
        {
            if (!live || Flag(request.Arg(0), "old", false))
            {
                await stream.WriteAsync(BodyType.Json, HopsJson(graph.AllHops()).Bytes, cancellationToken);
            }

            await CopyAsync(live ? changes : null, stream, cancellationToken);
        }
        finally
        {
            graph.HopsChanged -= Add;
        }
    }

    private Task GraphStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var live = Flag(request.Arg(0), "live", true);
        var old = !live || Flag(request.Arg(0), "old", false);
        return EdgesAsync(old ? GraphJson(Value) : null, live, stream, Change, cancellationToken);

        static void Change(Utf8JsonWriter json, ContactEdge edge)
        {
            json.WriteStartObject(edge.Author.ToString());
            json.WriteNumber(edge.Contact.ToString(), (int)edge.State);
            json.WriteEndObject();
        }
    }

    private Task ClassicStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        return EdgesAsync(GraphJson(ClassicValue), true, stream, Change, cancellationToken);

        static void Change(Utf8JsonWriter json, ContactEdge edge)
        {
            json.WriteString("from", edge.Author.ToString());
            json.WriteString("to", edge.Contact.ToString());
            json.WritePropertyName("value");
            ClassicValue(json, edge.State);
        }
    }

    private async Task EdgesAsync(RpcBody? first, bool live, RpcStream stream, Action<Utf8JsonWriter, ContactEdge> write, CancellationToken cancellationToken)
    {
        var changes = Queue();
        void Add(IReadOnlyList<ContactChange> edges)
        {
            foreach (var change in edges)
            {
                Offer(changes, Write(json =>
                {
                    json.WriteStartObject();
                    write(json, change.Edge);
                    json.WriteEndObject();
                }));
            }
        }

        if (live)
        {
            graph.EdgesChanged += Add;
        }

        try
        {
            if (first is { } body)
            {
                await stream.WriteAsync(BodyType.Json, body.Bytes, cancellationToken);
            }

            await CopyAsync(live ? changes : null, stream, cancellationToken);
        }
        finally
        {
            graph.EdgesChanged -= Add;
        }
    }

    private RpcBody GraphJson(Action<Utf8JsonWriter, ContactState> value) => Write(json =>
    {
        json.WriteStartObject();
        foreach (var author in graph.Edges().GroupBy(edge => edge.Author))
        {
            json.WriteStartObject(author.Key.ToString());
            foreach (var edge in author)
            {
                json.WritePropertyName(edge.Contact.ToString());
                value(json, edge.State);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    });

    /// <summary>The classic <c>friends.get</c>: the graph, one author's edges, the edges to one feed, or one edge.</summary>
    private RpcBody Get(RpcRequest request)
    {
        var options = request.Arg(0);
        var hasSource = options.ValueKind == JsonValueKind.Object && options.TryGetProperty("source", out _);
        var hasDest = options.ValueKind == JsonValueKind.Object && options.TryGetProperty("dest", out _);
        if (hasSource && hasDest)
        {
            return Write(json => ClassicValue(json, graph.State(Feed(options, "source"), Feed(options, "dest")) is var state && state == ContactState.None ? ContactState.Neutral : state));
        }

        if (!hasSource && !hasDest)
        {
            return GraphJson(ClassicValue);
        }

        var feed = Feed(options, hasSource ? "source" : "dest");
        return Write(json =>
        {
            json.WriteStartObject();
            foreach (var edge in graph.Edges())
            {
                if ((hasSource ? edge.Author : edge.Contact) == feed)
                {
                    json.WritePropertyName((hasSource ? edge.Contact : edge.Author).ToString());
                    ClassicValue(json, edge.State);
                }
            }

            json.WriteEndObject();
        });
    }

    private static Channel<RpcBody> Queue() =>
        Channel.CreateBounded<RpcBody>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    private static void Offer(Channel<RpcBody> queue, RpcBody body)
    {
        if (!queue.Writer.TryWrite(body))
        {
            queue.Writer.TryComplete(new RpcException("The stream was read too slowly; start it again."));
        }
    }

    private static async Task CopyAsync(Channel<RpcBody>? queue, RpcStream stream, CancellationToken cancellationToken)
    {
        if (queue is null)
        {
            return;
        }

        await foreach (var body in queue.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(BodyType.Json, body.Bytes, cancellationToken);
        }
    }
}
