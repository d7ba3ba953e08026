using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.Views;

namespace PiPub.Node.Queries;

/// <summary>
/// The options that the message streams share: which messages (a range, whose meaning is the stream's), in which order,
/// old and live ones, and what of each.
/// </summary>
/// <remarks>
/// Source: ssb-db 20.4.1 util.js and lib/validators.js, ltgt, pull-live 1.0.1. As there, <c>limit</c> counts old messages
/// only, a stream with both old and live ones says <c>{"sync":true}</c> between them unless told not to, and
/// <c>old: false</c> alone means live. 0 and 1 pass for booleans; null is the same as not given.
/// </remarks>
internal sealed record StreamOptions
{
    public bool Keys { get; private init; } = true;

    public bool Values { get; private init; } = true;

    public bool Old { get; private init; } = true;

    public bool Live { get; private init; }

    public bool Sync { get; private init; } = true;

    public bool Reverse { get; private init; }

    /// <summary>Old messages at most; negative for all.</summary>
    public long Limit { get; init; } = -1;

    /// <summary>The lower end of the range; negative infinity for none.</summary>
    public double Low { get; private init; } = double.NegativeInfinity;

    public bool LowIncluded { get; private init; } = true;

    /// <summary>The upper end of the range; positive infinity for none.</summary>
    public double High { get; private init; } = double.PositiveInfinity;

    public bool HighIncluded { get; private init; } = true;

    /// <summary>Reads the options out of the call's first argument, which may be missing.</summary>
    /// <exception cref="RpcException">An option has the wrong type; the words are ssb-db's.</exception>
    public static StreamOptions Read(JsonElement options)
    {
        if (options.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.String)
        {
            return new StreamOptions();
        }

        if (options.ValueKind != JsonValueKind.Object)
        {
            throw new RpcException("Param 0 must be of type object");
        }

        var old = Flag(options, "old") ?? true;
        var (gt, gte, lt, lte) = (Bound(options, "gt"), Bound(options, "gte"), Bound(options, "lt"), Bound(options, "lte"));
        return new StreamOptions
        {
            Keys = Flag(options, "keys") ?? true,
            Values = Flag(options, "values") ?? true,
            Old = old,
            Live = (Flag(options, "live") ?? false) || !old,
            Sync = Flag(options, "sync") ?? true,
            Reverse = Flag(options, "reverse") ?? false,
            Limit = Limited(options),
            Low = gt ?? gte ?? double.NegativeInfinity,
            LowIncluded = gt is null,
            High = lt ?? lte ?? double.PositiveInfinity,
            HighIncluded = lt is null,
        };
    }

    /// <summary>The range as the views take it.</summary>
    public ViewRange Range => new(Low, LowIncluded, High, HighIncluded);

    /// <summary>Whether a value lies in the range.</summary>
    public bool Covers(double value) =>
        (LowIncluded ? value >= Low : value > Low) && (HighIncluded ? value <= High : value < High);

    /// <summary>A boolean option, or null when it was not given.</summary>
    public static bool? Flag(JsonElement options, string name) => Given(options, name) switch
    {
        { ValueKind: JsonValueKind.Undefined } => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.Number } number => number.GetDouble() != 0,
        _ => throw new RpcException($".{name} of param 0 must be of type \"boolean\""),
    };

    /// <summary>A text option, or null when it was not given.</summary>
    public static string? Text(JsonElement options, string name) => Given(options, name) switch
    {
        { ValueKind: JsonValueKind.Undefined } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw new RpcException($".{name} of param 0 must be of type \"string\""),
    };

    private static long Limited(JsonElement options) => Bound(options, "limit") switch
    {
        null => -1,
        double.PositiveInfinity => -1,
        var number => (long)Math.Clamp(number.Value, -1, long.MaxValue / 2),
    };

    private static double? Bound(JsonElement options, string name) => Given(options, name) switch
    {
        { ValueKind: JsonValueKind.Undefined } => null,
        { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        _ => throw new RpcException($".{name} of param 0 must be of type \"number\""),
    };

    private static JsonElement Given(JsonElement options, string name) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : default;
}
