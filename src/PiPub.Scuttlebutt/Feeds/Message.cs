using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds;

/// <summary>
/// A message that has passed every check that needs no other message: its form, its size, its signature.
/// Whether it is the next of its feed is <see cref="FeedTip"/>'s to say.
/// </summary>
/// <param name="Id">The message id.</param>
/// <param name="Author">The feed that it belongs to.</param>
/// <param name="Sequence">Its place in the feed, from 1.</param>
/// <param name="Previous">The id of the message before it; zero for the first.</param>
/// <param name="Timestamp">When its author says it was written, in milliseconds since 1970; may be fractional, is never trusted.</param>
/// <param name="Value">The value exactly as signed: compact JSON in UTF-8, keys in the author's order, signature last.</param>
public sealed record Message(MessageId Id, FeedId Author, int Sequence, MessageId Previous, double Timestamp, ReadOnlyMemory<byte> Value);
