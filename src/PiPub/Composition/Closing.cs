namespace PiPub.Composition;

/// <summary>What has been opened, to be closed in the reverse order.</summary>
internal sealed class Closing : IAsyncDisposable
{
    private readonly Stack<object> _opened = new();

    public T Add<T>(T opened)
        where T : class
    {
        _opened.Push(opened);
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        while (_opened.TryPop(out var opened))
        {
            switch (opened)
            {
                case IAsyncDisposable asynchronous:
                    await asynchronous.DisposeAsync();
                    break;
                case IDisposable disposable:
                    disposable.Dispose();
                    break;
            }
        }
    }
}
