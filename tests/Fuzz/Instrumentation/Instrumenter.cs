using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace PiPub.Fuzz;

/// <summary>
/// Copies the built host with a call of <see cref="Coverage.Hit"/> at the head of each basic block of PiPub's own assemblies: what
/// guides the choice of inputs. SharpFuzz does the same; it does not restore everywhere.
/// </summary>
internal static class Instrumenter
{
    private static readonly string[] Instrumented = ["PiPub.Scuttlebutt.dll", "PiPub.Storage.dll", "PiPub.Node.dll", "pipub.dll"];

    /// <summary>Copies a directory and instruments what is to be instrumented there.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            var name = Path.GetFileName(file);
            if (Instrumented.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                Console.WriteLine($"{name}: {Instrument(file, Path.Combine(to, name)):N0} places");
            }
            else if (Path.GetExtension(name) != ".pdb")
            {
                File.Copy(file, Path.Combine(to, name), overwrite: true);
            }
        }
    }

    private static int Instrument(string from, string to)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(from));
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using var assembly = AssemblyDefinition.ReadAssembly(from, new ReaderParameters { AssemblyResolver = resolver });
        var module = assembly.MainModule;
        var host = new AssemblyNameReference(typeof(Coverage).Assembly.GetName().Name, typeof(Coverage).Assembly.GetName().Version);
        module.AssemblyReferences.Add(host);
        var hit = new MethodReference(nameof(Coverage.Hit), module.TypeSystem.Void, new TypeReference(typeof(Coverage).Namespace, nameof(Coverage), module, host));
        hit.Parameters.Add(new ParameterDefinition(module.TypeSystem.Int32));

        // The same places have the same numbers in every build of the same code.
        var numbers = new Random(Path.GetFileName(from).Length);
        var places = 0;
        foreach (var method in module.GetAllTypes().SelectMany(static type => type.Methods).Where(static method => method.HasBody))
        {
            places += Instrument(method.Body, hit, numbers);
        }

        assembly.Write(to);
        return places;
    }

    private static int Instrument(MethodBody body, MethodReference hit, Random numbers)
    {
        body.SimplifyMacros();
        var heads = Heads(body);
        var il = body.GetILProcessor();
        var moved = new Dictionary<Instruction, Instruction>();
        foreach (var head in heads)
        {
            var number = il.Create(OpCodes.Ldc_I4, numbers.Next(Coverage.Size));
            il.InsertBefore(head, number);
            il.InsertBefore(head, il.Create(OpCodes.Call, hit));
            moved.Add(head, number);
        }

        Redirect(body, moved);
        body.OptimizeMacros();
        return heads.Count;
    }

    private static HashSet<Instruction> Heads(MethodBody body)
    {
        var heads = new HashSet<Instruction> { body.Instructions[0] };
        foreach (var instruction in body.Instructions)
        {
            switch (instruction.Operand)
            {
                case Instruction target:
                    heads.Add(target);
                    break;
                case Instruction[] targets:
                    heads.UnionWith(targets);
                    break;
            }

            if (instruction.OpCode.FlowControl == FlowControl.Cond_Branch && instruction.Next is { } next)
            {
                heads.Add(next);
            }
        }

        foreach (var handler in body.ExceptionHandlers)
        {
            heads.Add(handler.HandlerStart);
        }

        return heads;
    }

    private static void Redirect(MethodBody body, Dictionary<Instruction, Instruction> moved)
    {
        foreach (var instruction in body.Instructions)
        {
            switch (instruction.Operand)
            {
                case Instruction target when moved.TryGetValue(target, out var to):
                    instruction.Operand = to;
                    break;
                case Instruction[] targets:
                    instruction.Operand = Array.ConvertAll(targets, target => moved.GetValueOrDefault(target, target));
                    break;
            }
        }

        Instruction? Moved(Instruction? at) => at is null ? null : moved.GetValueOrDefault(at, at);
        foreach (var handler in body.ExceptionHandlers)
        {
            (handler.TryStart, handler.TryEnd) = (Moved(handler.TryStart), Moved(handler.TryEnd));
            (handler.HandlerStart, handler.HandlerEnd) = (Moved(handler.HandlerStart), Moved(handler.HandlerEnd));
            handler.FilterStart = Moved(handler.FilterStart);
        }
    }
}
