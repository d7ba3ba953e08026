using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Benchmarks.Parts;

/// <summary>64 KiB through a box stream, beside the same boxes made by bare libsodium. An operation is 16 boxes of 4096 bytes.</summary>
[MemoryDiagnoser]
public class BoxStreamBenchmarks
{
    private const int Length = 64 * 1024;
    private readonly byte[] _plaintext = new byte[Length];
    private readonly byte[] _wire = new byte[BoxStream.MaxBodyLength];
    private readonly byte[] _header = new byte[18];
    private readonly byte[] _sealedHeader = new byte[18];
    private readonly byte[] _mac = new byte[16];
    private readonly Bytes32 _key = KeyPair.Generate().Id.Bytes;
    private BoxNonce _nonce;
    private PipeWriter _output = null!;
    private PipeReader _input = null!;
    private PipeWriter _sealOnly = null!;

    [GlobalSetup]
    public void Setup()
    {
        var keys = new BoxStreamKeys(_key, default, _key, default);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var stream = new BoxStream(new Transport(pipe.Reader, pipe.Writer), keys);
        (_input, _output) = (stream.Input, stream.Output);
        _sealOnly = new BoxStream(new Transport(pipe.Reader, PipeWriter.Create(Stream.Null)), keys).Output;
    }

    [Benchmark(Baseline = true)]
    public bool Bare_libsodium_seals() => SealBare(andOpen: false);

    [Benchmark]
    public async Task Box_stream_seals() => await _sealOnly.WriteAsync(_plaintext);

    [Benchmark]
    public bool Bare_libsodium_seals_and_opens() => SealBare(andOpen: true);

    [Benchmark]
    public async Task Box_stream_seals_and_opens()
    {
        await _output.WriteAsync(_plaintext);
        for (var heard = 0L; heard < Length;)
        {
            var read = await _input.ReadAsync();
            heard += read.Buffer.Length;
            _input.AdvanceTo(read.Buffer.End);
        }
    }

    private bool SealBare(bool andOpen)
    {
        var opened = true;
        for (var at = 0; at < Length; at += BoxStream.MaxBodyLength)
        {
            Sodium.SecretBox(_plaintext.AsSpan(at, BoxStream.MaxBodyLength), _nonce.AsSpan(), _key.AsSpan(), _mac, _wire);
            opened &= !andOpen || Sodium.TryOpenSecretBox(_mac, _wire, _nonce.AsSpan(), _key.AsSpan(), _wire);
            _nonce.Increment();
            Sodium.SecretBox(_header, _nonce.AsSpan(), _key.AsSpan(), _mac, _sealedHeader);
            opened &= !andOpen || Sodium.TryOpenSecretBox(_mac, _sealedHeader, _nonce.AsSpan(), _key.AsSpan(), _sealedHeader);
            _nonce.Increment();
        }

        return opened ? true : throw new InvalidOperationException("What was sealed did not open.");
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
