namespace PiPub.Benchmarks;

/// <summary>What Linux counts for a process (proc(5)).</summary>
internal static class ProcessMeter
{
    /// <summary>The most memory that was resident at one time (VmHWM), in bytes.</summary>
    public static long PeakResidentBytes(int processId) => Status(processId, "VmHWM:");

    /// <summary>The memory that is resident now (VmRSS), in bytes.</summary>
    public static long ResidentBytes(int processId) => Status(processId, "VmRSS:");

    /// <summary>Bytes that the process caused to be sent to the storage layer; what it overwrote before it was sent counts once.</summary>
    public static long WrittenBytes(int processId) => Number($"/proc/{processId}/io", "write_bytes:");

    private static long Status(int processId, string field) => Number($"/proc/{processId}/status", field) * 1024;

    private static long Number(string file, string field)
    {
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return long.Parse(line.AsSpan(field.Length).Trim().ToString().Split(' ')[0]);
        }
        throw new InvalidDataException($"{file} has no {field}");
    }
}
