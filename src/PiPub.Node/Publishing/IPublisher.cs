using PiPub.Storage;

namespace PiPub.Node.Publishing;

/// <summary>Writes messages on the box's own feed.</summary>
public interface IPublisher
{
    /// <summary>
    /// Signs a message with this content, appends it, and returns it once it is safe on the disk.
    /// </summary>
    /// <param name="content">The content: a JSON object with a <c>type</c>, in UTF-8.</param>
    /// <param name="cancellationToken">Gives up before the message is appended, never after.</param>
    ValueTask<LogRecord> PublishAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken);
}
