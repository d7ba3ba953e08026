using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Button;
using PiPub.Appliance.Lights;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Hardware;

/// <summary>Lights and a button on a chip that only writes down what it is told.</summary>
public sealed class LightsTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ChipLight _light = new();
    private readonly ChipButton _button = new();
    private readonly List<string> _done = [];

    public void Dispose()
    {
        _light.Dispose();
        _button.Dispose();
    }

    public static TheoryData<LightState> States => [.. Enum.GetValues<LightState>()];

    [Theory]
    [MemberData(nameof(States))]
    public void Each_state_has_a_rhythm_of_its_own(LightState state)
    {
        using var lights = New();
        lights.Show(state);
        _light.Heard.Clear();
        for (var i = 0; i < 400; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(25));
        }

        var rhythm = LightPattern.Of(state);
        Assert.All(Enum.GetValues<LightState>(), other => Assert.True(other == state || !rhythm.SequenceEqual(LightPattern.Of(other))));
        Assert.Equal(rhythm.Count > 1, _light.Heard.Count > 3);
        Assert.True(rhythm.Count == 1 || rhythm.Count % 2 == 0, "Lit and dark must take turns.");
    }

    [Fact]
    public void The_table_in_the_readme_has_the_rhythms_that_the_lights_have()
    {
        var rows = File.ReadAllLines(SourceTree.File("README.md"))
            .SkipWhile(static line => !line.StartsWith("| the light |", StringComparison.Ordinal)).Skip(2).TakeWhile(static line => line.StartsWith('|'))
            .Select(static line => line.Split('|')[2].Trim());
        Assert.Equal(Enum.GetValues<LightState>().Select(InWords), rows);

        static string InWords(LightState state)
        {
            var rhythm = LightPattern.Of(state);
            return rhythm.Count == 1 ? "always lit" : string.Join(' ', rhythm.Select(static length => length.TotalMilliseconds));
        }
    }

    [Fact]
    public void A_steady_light_wakes_nobody()
    {
        using var lights = New();
        Assert.Equal(1, _time.Waiting);
        lights.Show(LightState.Running);
        Assert.Equal(0, _time.Waiting);
        Assert.True(_light.IsLit);
        lights.Show(LightState.Running);
        lights.Show(LightState.NeedsAttention);
        Assert.Equal(1, _time.Waiting);
    }

    [Fact]
    public void Three_flashes_say_that_attention_is_needed()
    {
        using var lights = New();
        lights.Show(LightState.NeedsAttention);
        _light.Heard.Clear();
        _time.Advance(TimeSpan.FromMilliseconds(2000));
        // Lit already when it is asked for; then dark and lit twice more, dark, and lit again after the pause.
        Assert.Equal([false, true, false, true, false, true], _light.Heard);
    }

    [Fact]
    public void A_light_that_does_not_answer_is_given_up_and_the_others_go_on()
    {
        var broken = new ChipLight { IsBroken = true };
        using var lights = new StatusLights([broken, _light], null, _time, NullLogger<StatusLights>.Instance);
        lights.Show(LightState.Running);
        Assert.Equal(1, lights.Count);
        Assert.Equal("It is broken.", lights.Problem);
        Assert.True(_light.IsLit);
        Assert.True(broken.IsLetGo);
    }

    [Fact]
    public void An_activity_light_that_does_not_answer_is_given_up_too()
    {
        var activity = new ChipLight { IsBroken = true };
        using var lights = new StatusLights([_light], activity, _time, NullLogger<StatusLights>.Instance);
        lights.Flash();
        Assert.Equal("It is broken.", lights.Problem);
        Assert.False(lights.HasActivity);
        Assert.True(activity.IsLetGo);
        lights.Flash();
        Assert.Equal(1, lights.Count);
    }

    [Fact]
    public void The_activity_light_flickers_and_nothing_else()
    {
        var activity = new ChipLight();
        using var lights = new StatusLights([], activity, _time, NullLogger<StatusLights>.Instance);
        lights.Flash();
        Assert.True(activity.IsLit);
        _time.Advance(TimeSpan.FromMilliseconds(40));
        Assert.False(activity.IsLit);
        Assert.Equal(0, _time.Waiting);
    }

    [Theory]
    [InlineData(0.2, "claim")]
    [InlineData(2.9, "claim")]
    [InlineData(3, "restart")]
    [InlineData(9.9, "restart")]
    [InlineData(10, "reset")]
    [InlineData(59, "reset")]
    [InlineData(60, null)]
    [InlineData(600, null)]
    public void The_button_does_what_it_was_held_for(double seconds, string? done)
    {
        using var lights = New();
        lights.Show(LightState.Running);
        using var presses = Presses(lights);
        _button.Press(true);
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Empty(_done);
        _button.Press(false);
        Assert.Equal(done is null ? [] : [done], _done);
        Assert.Equal(0, _time.Waiting);
        Assert.True(_light.IsLit);
    }

    [Fact]
    public void While_the_button_is_held_the_light_counts_along()
    {
        using var lights = New();
        lights.Show(LightState.Running);
        using var presses = Presses(lights);
        _button.Press(true);
        Assert.Equal(2, Changes(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(8, Changes(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(20, Changes(TimeSpan.FromSeconds(1)));
        // The box has something to say meanwhile: it waits.
        lights.Show(LightState.NeedsAttention);
        Assert.Equal(20, Changes(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void A_button_that_hangs_when_the_box_starts_does_nothing_when_it_comes_up()
    {
        using var lights = New();
        using var presses = Presses(lights);
        _time.Advance(TimeSpan.FromSeconds(20));
        _button.Press(false);
        Assert.Empty(_done);
    }

    [Fact]
    public void What_cannot_be_done_does_not_end_the_button()
    {
        using var lights = New();
        using var presses = new ButtonPresses(_button, lights, new ButtonActions(() => throw new IOException("No."), () => _done.Add("restart"), () => { }), _time, NullLogger<ButtonPresses>.Instance);
        _button.Press(true);
        _button.Press(false);
        _button.Press(true);
        _time.Advance(TimeSpan.FromSeconds(4));
        _button.Press(false);
        Assert.Equal(["restart"], _done);
    }

    private int Changes(TimeSpan during)
    {
        var before = _light.Changes;
        _time.Advance(during);
        return _light.Changes - before;
    }

    private StatusLights New() => new([_light], null, _time, NullLogger<StatusLights>.Instance);

    private ButtonPresses Presses(StatusLights lights) => new(
        _button, lights, new ButtonActions(() => _done.Add("claim"), () => _done.Add("restart"), () => _done.Add("reset")), _time, NullLogger<ButtonPresses>.Instance);

    private sealed class ChipLight : IStatusLight
    {
        public List<bool> Heard { get; } = [];

        public int Changes { get; private set; }

        public bool IsBroken { get; init; }

        public bool IsLit { get; private set; }

        public bool IsLetGo { get; private set; }

        public void Set(bool isLit)
        {
            if (IsBroken)
            {
                throw new IOException("It is broken.");
            }

            Changes += isLit == IsLit ? 0 : 1;
            IsLit = isLit;
            Heard.Add(isLit);
        }

        public void Dispose() => (IsLit, IsLetGo) = (false, true);
    }

    private sealed class ChipButton : IButton
    {
        public event Action<bool>? Changed;

        public void Press(bool isPressed) => Changed?.Invoke(isPressed);

        public void Dispose()
        {
        }
    }
}
