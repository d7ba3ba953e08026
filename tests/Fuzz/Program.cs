using System.Globalization;
using PiPub.Fuzz;

// Fuzz instrument <directory>                       copies this program there, with PiPub's assemblies instrumented
// Fuzz run [minutes=5] [seed=1] [target=a,b]        throws input at the targets, minutes in all
// Fuzz replay                                       every kept input once
if (args is ["instrument", var to])
{
    Instrumenter.Copy(AppContext.BaseDirectory, to);
    return 0;
}

if (args is ["replay"])
{
    foreach (var target in Targets.All())
    {
        Console.WriteLine($"{target.Name}: {Campaign.Replay(target)} inputs");
    }

    return 0;
}

if (args is not ["run", ..])
{
    Console.Error.WriteLine("Fuzz instrument <directory> | run [minutes=5] [seed=1] [target=name,name] | replay");
    return 2;
}

string Option(string name, string usual) => args.FirstOrDefault(a => a.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? usual;

var minutes = double.Parse(Option("minutes", "5"), CultureInfo.InvariantCulture);
var seed = int.Parse(Option("seed", "1"), CultureInfo.InvariantCulture);
var wanted = Option("target", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
var targets = Targets.All().Where(t => wanted.Length == 0 || wanted.Contains(t.Name)).ToList();
using var running = new RunningInput(Path.Combine(AppContext.BaseDirectory, "running"));
if (running.Unfinished is { } died)
{
    var target = Targets.All().First(t => t.Name == died.Target);
    Console.WriteLine($"The last run died in {died.Target}. Its input is kept in {new Corpus(target).KeepCrash(died.Input)}");
    running.End();
}

var reports = new List<CampaignReport>();
foreach (var target in targets)
{
    var campaign = new Campaign(target, seed, running);
    using var watch = Watch(campaign, target.Name);
    var report = campaign.Run(TimeSpan.FromMinutes(minutes / targets.Count));
    reports.Add(report);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{report.Target,-18} {report.Executions,12:N0} executions {report.Executions / report.Time.TotalSeconds,10:N0}/s  {report.Places,6:N0} ways  {report.Corpus,5:N0} inputs  slowest {report.Slowest.TotalMilliseconds,6:N0} ms"));
    foreach (var finding in report.Findings)
    {
        Console.WriteLine("FOUND " + finding);
    }
}

var findings = reports.Sum(static r => r.Findings.Count);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{reports.Sum(static r => r.Executions):N0} executions on {reports.Count} targets, seed {seed}{(Coverage.IsOn ? "" : ", not guided: run it by make fuzz")}: {findings} findings."));
return findings == 0 ? 0 : 1;

static Timer Watch(Campaign campaign, string name)
{
    var last = -1L;
    var stuck = 0;
    return new Timer(
        _ =>
        {
            stuck = campaign.Executions == last ? stuck + 1 : 0;
            last = campaign.Executions;
            if (stuck == 4)
            {
                Console.WriteLine($"{name} has not come back for a minute. The input is kept at the next start.");
                Environment.Exit(3);
            }
        },
        null,
        TimeSpan.FromSeconds(15),
        TimeSpan.FromSeconds(15));
}
