using System.Runtime.CompilerServices;
using PiPub.Interop;

namespace PiPub.Hostile.Faults;

/// <summary>Makes writes of a process fail, and its clock jump, when the test says so (faults.c, preloaded). It is compiled for the test; without a compiler the test is skipped.</summary>
internal sealed class FaultPlan : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("pipub-faults-").FullName;

    private string Plan => Path.Combine(directory, "plan");

    private string Clock => Path.Combine(directory, "clock");

    /// <summary>The command within which a process gets the faults, for its files under a directory.</summary>
    public static async Task<(FaultPlan Plan, string[] Within)> MakeAsync(string under)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "No gcc, so no faults can be made: install it with apt install gcc.");
        var plan = new FaultPlan();
        var library = Path.Combine(plan.directory, "faults.so");
        var (code, output, errors) = await ChildProcess.RunAsync(
            "gcc", ["-shared", "-fPIC", "-O1", "-o", library, Path.Combine(Path.GetDirectoryName(Here())!, "faults.c"), "-ldl"], TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"The faults do not compile:\n{output}\n{errors}");
        return (plan, ["env", "LD_PRELOAD=" + library, "FAULTS=" + plan.Plan, "FAULTS_UNDER=" + under, "FAULTS_CLOCK=" + plan.Clock]);
    }

    /// <summary>From now on one in so many writes, flushes and cuts fails with an error number; 0 for none.</summary>
    public void Set(int error, int oneIn = 1) => Write(Plan, $"{error} {oneIn}\n");

    /// <summary>From now on the clock of the process is so far from the right time.</summary>
    public void SetClock(TimeSpan ahead) => Write(Clock, $"{(long)ahead.TotalSeconds}\n");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static void Write(string file, string text)
    {
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
