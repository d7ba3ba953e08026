namespace PiPub.Fuzz;

/// <summary>Takes an input apart into small numbers and pieces, for targets whose input is more than one text.</summary>
internal ref struct Script(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    /// <summary>Everything that was not taken yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>The next byte; 0 at the end.</summary>
    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            return 0;
        }

        var b = _rest[0];
        _rest = _rest[1..];
        return b;
    }

    /// <summary>A piece with its length in two bytes before it, or what is left.</summary>
    public ReadOnlySpan<byte> Piece()
    {
        var length = Math.Min((Byte() << 8) | Byte(), _rest.Length);
        var piece = _rest[..length];
        _rest = _rest[length..];
        return piece;
    }

    /// <summary>Writes what <see cref="Piece"/> reads.</summary>
    public static byte[] PieceOf(ReadOnlySpan<byte> bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
}
