using System.Security.Cryptography;

namespace PiPub.Interop;

/// <summary>
/// A network of its own for one test: a network key that nobody else has, a directory, and the peers in it, which end
/// with the test. Its directory goes with it, unless KEEP_TEST_DATA is set.
/// </summary>
internal sealed class TestNetwork : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> members = [];
    private int directories;

    public string NetworkKey { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("pipub-interop-").FullName;

    public string NewDirectory(string name) =>
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, $"{name}-{Interlocked.Increment(ref directories)}")).FullName;

    public Task<JsPeer> StartClassicAsync(bool ebt = true, int hops = 2) => StartAsync(Stack.Classic, ebt, hops);

    public Task<JsPeer> StartModernAsync(int hops = 2) => StartAsync(Stack.Modern, ebt: true, hops);

    public async Task<JsPeer> StartAsync(Stack stack, bool ebt = true, int hops = 2, string? directory = null) =>
        Keep(await JsPeer.StartAsync(stack, directory ?? NewDirectory(stack.ToString()), NetworkKey, ebt, hops));

    public async Task<PiPubProcess> StartPiPubAsync(params string[] settings) =>
        Keep(await PiPubProcess.StartAsync(NewDirectory("PiPub"), NetworkKey, settings));

    public T Keep<T>(T member)
        where T : IAsyncDisposable
    {
        members.Add(member);
        return member;
    }

    public async ValueTask DisposeAsync()
    {
        members.Reverse();
        foreach (var member in members)
            await member.DisposeAsync();
        if (Environment.GetEnvironmentVariable("KEEP_TEST_DATA") is null)
            System.IO.Directory.Delete(Directory, recursive: true);
    }
}
