using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace PiPub.Tests;

/// <summary>The arrows between the rooms, and what the innermost room must not know.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["PiPub.Scuttlebutt"] = [],
        ["PiPub.Storage"] = ["PiPub.Scuttlebutt"],
        ["PiPub.Node"] = ["PiPub.Storage", "PiPub.Scuttlebutt"],
        ["PiPub.Web"] = ["PiPub.Node", "PiPub.Storage", "PiPub.Scuttlebutt"],
        // The machine's caretaker and the face do not know each other: pipub joins them.
        ["PiPub.Appliance"] = ["PiPub.Node", "PiPub.Storage", "PiPub.Scuttlebutt"],
        ["pipub"] = ["PiPub.Web", "PiPub.Appliance", "PiPub.Node", "PiPub.Storage", "PiPub.Scuttlebutt"],
    };

    // Files, sockets, databases, processes, and clocks that are not TimeProvider.
    private static readonly string[] ForbiddenTypes =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.RandomAccess",
        "System.Diagnostics.Process", "System.Diagnostics.Stopwatch", "System.Net.Dns",
        "System.Net.Sockets.Socket", "System.Net.Sockets.TcpClient", "System.Net.Sockets.TcpListener", "System.Net.Sockets.UdpClient", "System.Net.Sockets.NetworkStream",
    ];

    private static readonly string[] ForbiddenNamespaces = ["System.Net.Http", "System.Data", "Microsoft.Data", "Microsoft.AspNetCore", "SQLitePCL"];

    private static readonly string[] ForbiddenMembers = ["System.DateTime.get_UtcNow", "System.DateTime.get_Now", "System.DateTimeOffset.get_UtcNow", "System.DateTimeOffset.get_Now", "System.TimeProvider.get_System", "System.Environment.get_TickCount", "System.Environment.get_TickCount64"];

    public static TheoryData<string> Rooms() => [.. Arrows.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Arrows_point_one_way(string room)
    {
        var known = Load(room).GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("PiPub", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(known.Except(Arrows[room]));
    }

    [Fact]
    public void Every_room_is_known_here()
    {
        var rooms = Directory.GetDirectories(Path.Combine(RepositoryFiles.Root, "src"))
            .Where(directory => Directory.GetFiles(directory, "*.csproj").Length > 0)
            .Select(directory => Path.GetFileName(directory) is "PiPub" ? "pipub" : Path.GetFileName(directory));
        Assert.Equal(Arrows.Keys.Order(), rooms.Order());
    }

    [Fact]
    public void The_protocol_opens_nothing_and_has_no_clock()
    {
        using var file = File.OpenRead(Load("PiPub.Scuttlebutt").Location);
        using var portable = new PEReader(file);
        var metadata = portable.GetMetadataReader();
        var types = metadata.TypeReferences.Select(metadata.GetTypeReference).Select(type => FullName(metadata, type)).ToList();
        Assert.Empty(types.Intersect(ForbiddenTypes));
        Assert.DoesNotContain(types, type => ForbiddenNamespaces.Any(name => type.StartsWith(name + ".", StringComparison.Ordinal)));
        var members = metadata.MemberReferences.Select(metadata.GetMemberReference)
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => $"{FullName(metadata, metadata.GetTypeReference((TypeReferenceHandle)member.Parent))}.{metadata.GetString(member.Name)}");
        Assert.Empty(members.Intersect(ForbiddenMembers));
    }

    [Fact]
    public void Nothing_in_the_project_reads_what_lies_outside_of_it()
    {
        // Written in parts, or this test would find itself.
        string[] outside = [".." + "/shared", "/work" + "/"];
        var files = Directory.EnumerateFiles(RepositoryFiles.Root, "*", new EnumerationOptions { RecurseSubdirectories = true })
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "out" or "node_modules" or ".git" or "TestResults"))
            .Where(path => Path.GetExtension(path) is ".cs" or ".csproj" or ".props" or ".targets" or ".sln" or ".js" or ".mjs" or ".json" or ".sh" or ".md" or ".yml" or "")
            .ToList();
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, path => outside.Any(File.ReadAllText(path).Contains));
    }

    private static Assembly Load(string room) => Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, room + ".dll"));

    private static string FullName(MetadataReader metadata, TypeReference type) =>
        type.ResolutionScope.Kind == HandleKind.TypeReference
            ? FullName(metadata, metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope))
            : $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
}
