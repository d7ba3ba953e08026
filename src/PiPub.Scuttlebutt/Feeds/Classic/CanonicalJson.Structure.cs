namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>The grammar: values, objects, arrays, numbers and the white space between.</summary>
public sealed partial class CanonicalJson
{
    private Frame[] _frames = new Frame[16];
    private int _depth;

    /// <summary>What may come next.</summary>
    private enum Expect
    {
        Value,
        Key,
        After,
    }

    private bool Transcode(ReadOnlySpan<byte> src)
    {
        var i = 0;
        var expect = Expect.Value;
        while (true)
        {
            if ((uint)i < (uint)src.Length && src[i] <= ' ')
            {
                i = SkipWhiteSpace(src, i);
            }

            if ((uint)i >= (uint)src.Length)
            {
                return (expect == Expect.After && _depth == 0) || Fail(i, "it ends in the middle");
            }

            var c = src[i];
            switch (expect)
            {
                case Expect.Key:
                    if (!CopyKey(src, ref i))
                    {
                        return false;
                    }

                    expect = Expect.Value;
                    break;

                case Expect.Value when c is (byte)'{' or (byte)'[':
                    i++;
                    if (!Open(src, ref i, c, out expect))
                    {
                        return false;
                    }

                    break;

                case Expect.Value:
                    if (!CopyScalar(src, ref i, c))
                    {
                        return false;
                    }

                    expect = Expect.After;
                    break;

                default:
                    if (_depth == 0)
                    {
                        return Fail(i, "something follows after its end");
                    }

                    i++;
                    ref var frame = ref _frames[_depth - 1];
                    if (c == ',')
                    {
                        if (!Separate(src.Length - i))
                        {
                            return false;
                        }

                        expect = frame.IsObject ? Expect.Key : Expect.Value;
                    }
                    else if (c == (frame.IsObject ? '}' : ']'))
                    {
                        if (!Close(c, src.Length - i))
                        {
                            return false;
                        }
                    }
                    else
                    {
                        return Fail(i - 1, frame.IsObject ? "expected , or }" : "expected , or ]");
                    }

                    break;
            }
        }
    }

    private int SkipWhiteSpace(ReadOnlySpan<byte> src, int i)
    {
        _same = false;
        while (i < src.Length && src[i] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            i++;
        }

        return i;
    }

    private bool CopyKey(ReadOnlySpan<byte> src, ref int i)
    {
        if (src[i] != '"')
        {
            return Fail(i, "expected a key in quotes");
        }

        var start = _length;
        if (!CopyString(src, ref i))
        {
            return false;
        }

        AddKey(start);
        if ((uint)i < (uint)src.Length && src[i] <= ' ')
        {
            i = SkipWhiteSpace(src, i);
        }

        if ((uint)i >= (uint)src.Length || src[i] != ':')
        {
            return Fail(i, "expected : after a key");
        }

        i++;
        _out[_length++] = (byte)':';
        if (_indented)
        {
            _out[_length++] = (byte)' ';
            return Reserve(src.Length - i);
        }

        return true;
    }

    private bool Open(ReadOnlySpan<byte> src, ref int i, byte c, out Expect expect)
    {
        expect = Expect.After;
        var close = (byte)(c + 2);
        _out[_length++] = c;
        if ((uint)i < (uint)src.Length && src[i] <= ' ')
        {
            i = SkipWhiteSpace(src, i);
        }

        if ((uint)i < (uint)src.Length && src[i] == close)
        {
            i++;
            _out[_length++] = close;
            return true;
        }

        if (_depth == MaxDepth)
        {
            return Fail(i, "it is nested too deep");
        }

        if (_depth == _frames.Length)
        {
            Array.Resize(ref _frames, _depth * 2);
        }

        _frames[_depth++] = new Frame { IsObject = c == '{', FirstKey = _keys };
        expect = c == '{' ? Expect.Key : Expect.Value;
        return NewLine(src.Length - i);
    }

    private bool Separate(int left)
    {
        _out[_length++] = (byte)',';
        return NewLine(left);
    }

    private bool Close(byte c, int left)
    {
        ref var frame = ref _frames[_depth - 1];
        if (frame.IsObject)
        {
            if (frame.IsOdd)
            {
                MoveKeys(ref frame);
            }

            if (_depth == 1)
            {
                RootKeys = _keys;
            }

            _keys = frame.FirstKey;
        }

        _depth--;
        if (!NewLine(left))
        {
            return false;
        }

        _out[_length++] = c;
        return true;
    }

    private bool NewLine(int left)
    {
        if (!_indented)
        {
            return true;
        }

        var spaces = 2 * _depth;
        if (!Reserve(left + spaces))
        {
            return false;
        }

        _out[_length++] = (byte)'\n';
        _out.AsSpan(_length, spaces).Fill((byte)' ');
        _length += spaces;
        return true;
    }

    private bool CopyScalar(ReadOnlySpan<byte> src, ref int i, byte c)
    {
        switch (c)
        {
            case (byte)'"':
                return CopyString(src, ref i);
            case (byte)'t':
                return CopyWord(src, ref i, "true"u8);
            case (byte)'f':
                return CopyWord(src, ref i, "false"u8);
            case (byte)'n':
                return CopyWord(src, ref i, "null"u8);
            default:
                return CopyNumber(src, ref i);
        }
    }

    private bool CopyWord(ReadOnlySpan<byte> src, ref int i, ReadOnlySpan<byte> word)
    {
        if (!src[i..].StartsWith(word))
        {
            return Fail(i, "expected a value");
        }

        word.CopyTo(_out.AsSpan(_length));
        _length += word.Length;
        i += word.Length;
        return true;
    }

    private bool CopyNumber(ReadOnlySpan<byte> src, ref int i)
    {
        var start = i;
        var at = i;
        if (src[at] == '-')
        {
            at++;
        }

        var digits = Digits(src, at);
        if (digits == 0 || (digits > 1 && src[at] == '0'))
        {
            return Fail(start, "expected a value");
        }

        at += digits;
        var whole = true;
        if (at < src.Length && src[at] == '.')
        {
            whole = false;
            var fraction = Digits(src, ++at);
            if (fraction == 0)
            {
                return Fail(at, "expected digits after the point");
            }

            at += fraction;
        }

        if (at < src.Length && src[at] is (byte)'e' or (byte)'E')
        {
            whole = false;
            at++;
            if (at < src.Length && src[at] is (byte)'+' or (byte)'-')
            {
                at++;
            }

            var exponent = Digits(src, at);
            if (exponent == 0)
            {
                return Fail(at, "expected digits in the exponent");
            }

            at += exponent;
        }

        var literal = src[start..at];
        i = at;

        // Up to 15 digits a whole number is exact and its own shortest form. Minus zero loses its sign.
        if (whole && digits <= 15 && !(src[start] == '-' && src[start + 1] == '0'))
        {
            literal.CopyTo(_out.AsSpan(_length));
            _length += literal.Length;
            return true;
        }

        if (!Reserve(src.Length - i + EcmaScriptNumber.MaxLength))
        {
            return false;
        }

        var written = EcmaScriptNumber.Format(literal, _out.AsSpan(_length));
        _same = _same && _out.AsSpan(_length, written).SequenceEqual(literal);
        _length += written;
        return true;
    }

    private static int Digits(ReadOnlySpan<byte> src, int at)
    {
        var end = at;
        while ((uint)end < (uint)src.Length && (uint)(src[end] - '0') <= 9)
        {
            end++;
        }

        return end - at;
    }

    /// <summary>An object or array that is open.</summary>
    private struct Frame
    {
        public bool IsObject;

        /// <summary>An object whose keys must be moved or dropped when it closes.</summary>
        public bool IsOdd;

        /// <summary>Where its keys begin among the keys of all open objects.</summary>
        public int FirstKey;
    }
}
