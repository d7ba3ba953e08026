namespace PiPub.Fuzz.Tests;

/// <summary>Every input that fuzzing kept, executed once more: what once broke a rule never does again.</summary>
public class CorpusTests
{
    public static TheoryData<string> Names => [.. Targets.All().Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_kept_input_keeps_the_rules(string name)
    {
        var target = Targets.All().Single(target => target.Name == name);
        Assert.True(Campaign.Replay(target) >= 2, "Without inputs nothing is tested.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_few_thousand_mangled_inputs_keep_the_rules(string name)
    {
        var target = Targets.All().Single(target => target.Name == name);
        var inputs = new Corpus(target).All().ToList();
        var mutator = new Mutator(seed: 20, target);
        for (var i = 0; i < 3000; i++)
        {
            target.Run(mutator.Next(inputs));
        }
    }
}
