using System.IO.Pipelines;

namespace PiPub.Scuttlebutt.Tests.Wire;

/// <summary>A connection inside this process: what one end writes, the other reads.</summary>
internal sealed class PipePair
{
    public PipePair(PipeOptions? options = null)
    {
        var one = new Pipe(options ?? PipeOptions.Default);
        var two = new Pipe(options ?? PipeOptions.Default);
        Client = new End(one.Reader, two.Writer);
        Server = new End(two.Reader, one.Writer);
    }

    public IDuplexPipe Client { get; }

    public IDuplexPipe Server { get; }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
