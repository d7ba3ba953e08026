using System.Text;
using BenchmarkDotNet.Attributes;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Benchmarks.Parts;

/// <summary>The parts of one message's way, one at a time: <c>make bench ARGS="--parts"</c>.</summary>
[MemoryDiagnoser]
public class PartBenchmarks
{
    private readonly KeyPair author = KeyPair.FromSeed(new byte[32]);
    private readonly byte[] signature = new byte[Sodium.SignatureBytes];
    private readonly byte[] key = new byte[Sodium.KeyBytes];
    private readonly byte[] nonce = new byte[Sodium.NonceBytes];
    private readonly byte[] mac = new byte[Sodium.MacBytes];
    private readonly byte[] packet = new byte[4096];
    private readonly byte[] cipher = new byte[4096];
    private readonly CanonicalJson canonical = new();
    private ReadOnlyMemory<byte> wire;
    private ReadOnlyMemory<byte> content;

    [GlobalSetup]
    public void Prepare()
    {
        content = Encoding.UTF8.GetBytes($$"""{"type":"post","text":"{{new string('x', 180)}}"}""");
        wire = ClassicFeed.Create(author, default, 1_700_000_000_000, content).Value;
        author.Sign(wire.Span, signature);
    }

    [Benchmark(Baseline = true)]
    public bool Bare_signature_check() => Sodium.Verify(signature, wire.Span, author.Id.AsSpan());

    [Benchmark]
    public bool Canonical_text_of_a_message() => canonical.TryWrite(wire.Span, indented: true);

    [Benchmark]
    public bool Verify_a_message() => ClassicFeed.TryVerify(wire, hmacKey: null, out _, out _);

    [Benchmark]
    public Message Make_a_message() => ClassicFeed.Create(author, default, 1_700_000_000_000, content);

    [Benchmark]
    public void Encrypt_a_box_stream_packet() => Sodium.SecretBox(packet, nonce, key, mac, cipher);
}
