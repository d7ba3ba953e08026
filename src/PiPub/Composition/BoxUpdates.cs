using System.Globalization;
using PiPub.Appliance.Updates;
using PiPub.Configuration;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>The image's updates as the settings page shows and chooses them.</summary>
internal sealed class BoxUpdates(PiPubOptions options, ImageUpdates updates) : IUpdates
{
    public event Action? Changed
    {
        add => updates.Changed += value;
        remove => updates.Changed -= value;
    }

    public string Version => Box.Version;

    public string? ImageVersion => updates.Image.Version;

    public UpdateStanding Standing
    {
        get
        {
            var state = updates.State;
            return new UpdateStanding(
                (UpdateActivity)state.Step,
                state.Version,
                state.Percent,
                Why(state.Refused),
                [.. updates.Offers.Select(Shown)],
                updates.LastLook,
                updates.RestartAt,
                updates.Outcome is { } outcome ? new UpdateResult(outcome.Version, outcome.From, outcome.IsKept, outcome.Words, outcome.At, updates.IsOutcomeSeen) : null);
        }
    }

    public UpdateWishes Wishes => new(updates.Plan.Address?.ToString() ?? "", (int)updates.Plan.Every.TotalDays, updates.Plan.IsAutomatic);

    public async Task<IReadOnlyList<UpdateSlot>> SlotsAsync()
    {
        // RAUC knows only what updates wrote. What came with the image itself the image tells while it runs, and the first update after.
        var before = updates.Outcome is { IsKept: true } outcome ? outcome.From : null;
        var slots = await updates.SlotsAsync(CancellationToken.None);
        return [.. slots.OrderByDescending(static slot => slot.IsBooted).Select(slot => new UpdateSlot(slot.Name, slot.IsBooted, slot.IsGood, slot.IsBooted ? updates.Image.Version : slot.Version ?? before))];
    }

    public void Set(UpdateWishes wishes)
    {
        var before = Wishes;
        var changed = new List<(string Key, string Value)>();
        if (wishes.Address != before.Address)
        {
            changed.Add(("update-url", wishes.Address.Length > 0 ? wishes.Address : "none"));
        }

        if (wishes.Days != before.Days)
        {
            changed.Add(("update-every", wishes.Days.ToString(CultureInfo.InvariantCulture)));
        }

        if (wishes.IsAutomatic != before.IsAutomatic)
        {
            changed.Add(("update-automatic", wishes.IsAutomatic ? "on" : "off"));
        }

        WrittenConfiguration.Write(options, [.. changed]);
        options.UpdateUrl = wishes.Address.Length > 0 ? new Uri(wishes.Address) : null;
        (options.UpdateEvery, options.UpdateAutomatic) = (TimeSpan.FromDays(wishes.Days), wishes.IsAutomatic);
        updates.Plan = PlanOf(options);
    }

    public Task LookAsync() => updates.LookAsync(CancellationToken.None);

    public void Install(OfferedUpdate offer)
    {
        if (updates.Offers.FirstOrDefault(one => Shown(one) == offer) is { Refused: null } found)
        {
            _ = Task.Run(() => updates.InstallAsync(found, isByOwner: true, CancellationToken.None));
        }
    }

    public void RestartMachine() => updates.RestartMachine();

    public void Acknowledge() => updates.Acknowledge();

    public static UpdatePlan PlanOf(PiPubOptions options) => new(options.UpdateUrl, options.UpdateEvery, options.UpdateAutomatic);

    private static OfferedUpdate Shown(UpdateOffer offer) => new(offer.Version, offer.Notes, offer.IsOnStick, offer.Size, Why(offer.Refused));

    private static UpdateRefused? Why(BundleRefusedException? refused) => refused is null ? null : new UpdateRefused(
        refused.Refusal switch
        {
            BundleRefusal.Downgrade => UpdateProblem.NotNewer,
            BundleRefusal.WrongKey => UpdateProblem.WrongKey,
            BundleRefusal.WrongBoard => UpdateProblem.WrongBoard,
            BundleRefusal.Truncated => UpdateProblem.Truncated,
            BundleRefusal.Tampered => UpdateProblem.Tampered,
            BundleRefusal.NoRoom => UpdateProblem.NoRoom,
            BundleRefusal.NotFetched => UpdateProblem.NotFetched,
            _ => UpdateProblem.Other,
        },
        refused.Message);
}
