using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace PiPub.Web.Access;

/// <summary>How many pages are open at one time, in all browsers together. Each costs memory for as long as it is open.</summary>
public sealed class OpenPages
{
    /// <summary>So many.</summary>
    public const int Most = 24;

    private int _open;

    /// <summary>Pages open now.</summary>
    public int Count => Volatile.Read(ref _open);

    internal bool TryOpen()
    {
        if (Interlocked.Increment(ref _open) <= Most)
        {
            return true;
        }

        Interlocked.Decrement(ref _open);
        return false;
    }

    internal void Closed() => Interlocked.Decrement(ref _open);
}

/// <summary>
/// Keeps one open page (a circuit) to its session: what it asks for is done only while its browser is signed in, and there are
/// only so many of them. When that ends, it is led to where one signs in; one page too many, to where that is told.
/// </summary>
public sealed class SessionPage(OpenPages pages, OwnerAccess access, AuthenticationStateProvider authentication, NavigationManager navigation)
    : CircuitHandler, IDisposable
{
    private volatile bool _isOver;
    private long _session = -1;
    private bool _isOpen;
    private string _leadsTo = "/sign-in";

    /// <inheritdoc/>
    public override async Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _isOpen = pages.TryOpen();
        if (!_isOpen)
        {
            (_isOver, _leadsTo) = (true, CrowdedPage.Path);
            return;
        }

        _session = SessionAuthentication.SessionOf((await authentication.GetAuthenticationStateAsync()).User) ?? -1;
        access.Ended += Ended;
        _isOver = access.Sessions().All(session => session.Id != _session);
    }

    /// <inheritdoc/>
    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        LeadAwayIfOver();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => activity =>
    {
        LeadAwayIfOver();
        return _isOver ? Task.CompletedTask : next(activity);
    };

    /// <inheritdoc/>
    public override Task OnCircuitClosedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        access.Ended -= Ended;
        if (_isOpen)
        {
            _isOpen = false;
            pages.Closed();
        }
    }

    private void Ended(long session)
    {
        if (session == _session)
        {
            _isOver = true;
            LeadAwayIfOver();
        }
    }

    private void LeadAwayIfOver()
    {
        if (_isOver)
        {
            navigation.NavigateTo(_leadsTo, forceLoad: true);
        }
    }
}
