using PiPub.Trimming;

// Trimming <trimmed directory> <directory of the untrimmed>...: says which methods lost what they must do whatever happens.
if (args.Length < 2)
{
    Console.Error.WriteLine("Trimming <directory of the trimmed build> <directory with the assemblies it was made of>...");
    return 2;
}

var (compared, lost) = (0, 0);
foreach (var trimmed in Directory.GetFiles(args[0], "*.dll").Order(StringComparer.Ordinal))
{
    var whole = args[1..].Select(directory => Path.Combine(directory, Path.GetFileName(trimmed))).FirstOrDefault(File.Exists);
    if (whole is null || AssemblyHandlers.Read(trimmed) is not { } after || AssemblyHandlers.Read(whole) is not { } before)
    {
        continue;
    }

    compared++;
    foreach (var (method, handlers) in after)
    {
        if (before.TryGetValue(method, out var had) && handlers.Nested < had.Nested && handlers.All < had.All)
        {
            lost++;
            Console.WriteLine($"{Path.GetFileName(trimmed)}: {method} had a finally or a catch inside another handler, and has it no longer.");
        }
    }
}

if (compared < 20)
{
    Console.WriteLine($"Only {compared} assemblies could be compared: are the directories the right ones?");
    return 1;
}

Console.WriteLine(lost == 0 ? $"{compared} assemblies are trimmed without harm to their handlers." : $"{lost} methods are damaged: locks would never be left.");
return lost == 0 ? 0 : 1;
