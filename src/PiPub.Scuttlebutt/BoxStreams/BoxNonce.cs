using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>
/// The nonce of a box stream: a big-endian counter of 24 bytes that carries through all of them and wraps to zero.
/// </summary>
/// <remarks>Source: SSB protocol guide, Box stream; pull-box-stream 1.0.13 with increment-buffer.</remarks>
[InlineArray(Length)]
public struct BoxNonce
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 24;

    private byte _first;

    /// <summary>Copies 24 bytes.</summary>
    /// <exception cref="ArgumentException">The span is not 24 bytes long.</exception>
    public BoxNonce(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException("A nonce is 24 bytes.", nameof(bytes));
        }

        bytes.CopyTo(this);
    }

    /// <summary>The bytes in place, without a copy.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> AsSpan() => this;

    /// <summary>Adds one.</summary>
    public void Increment()
    {
        Span<byte> bytes = this;
        for (var i = Length - 1; i >= 0 && ++bytes[i] == 0; i--)
        {
        }
    }
}
