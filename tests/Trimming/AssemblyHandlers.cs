using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace PiPub.Trimming;

/// <summary>How many exception handlers the methods of an assembly have.</summary>
/// <remarks>
/// The trimmer of .NET 10.0.12 folds conditions that it knows, drops what then cannot be reached, and drops with it, in the
/// state machine of an async method, a finally inside another handler: <c>finally { lock (gate) { ... } }</c> never leaves the
/// lock. The box then stops answering some time later, on another thread.
/// </remarks>
internal static class AssemblyHandlers
{
    /// <summary>A method's handlers, and how many of them guard code inside another handler.</summary>
    public readonly record struct Handlers(int All, int Nested);

    /// <summary>The handlers of every method, by its full name and parameters; null when the file is not a managed assembly.</summary>
    public static Dictionary<string, Handlers>? Read(string file)
    {
        using var stream = File.OpenRead(file);
        using var assembly = new PEReader(stream);
        if (!assembly.HasMetadata)
        {
            return null;
        }

        var metadata = assembly.GetMetadataReader();
        var all = new Dictionary<string, Handlers>(StringComparer.Ordinal);
        foreach (var handle in metadata.TypeDefinitions)
        {
            foreach (var methodHandle in metadata.GetTypeDefinition(handle).GetMethods())
            {
                var method = metadata.GetMethodDefinition(methodHandle);
                if (method.RelativeVirtualAddress != 0)
                {
                    all[$"{NameOf(metadata, handle)}.{metadata.GetString(method.Name)}({string.Join(", ", ParametersOf(method))})"] =
                        Count(assembly.GetMethodBody(method.RelativeVirtualAddress).ExceptionRegions);
                }
            }
        }

        return all;
    }

    private static Handlers Count(ImmutableArray<ExceptionRegion> regions)
    {
        var nested = 0;
        foreach (var inner in regions)
        {
            foreach (var outer in regions)
            {
                nested += inner.TryOffset >= outer.HandlerOffset && inner.TryOffset < outer.HandlerOffset + outer.HandlerLength ? 1 : 0;
            }
        }

        return new Handlers(regions.Length, nested);
    }

    private static string NameOf(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        var within = type.GetDeclaringType();
        var name = metadata.GetString(type.Name);
        return within.IsNil ? $"{metadata.GetString(type.Namespace)}.{name}" : $"{NameOf(metadata, within)}/{name}";
    }

    private static ImmutableArray<string> ParametersOf(MethodDefinition method) => method.DecodeSignature(TypeNames.Instance, null).ParameterTypes;

    /// <summary>Types as they are written, enough to tell overloads apart.</summary>
    private sealed class TypeNames : ISignatureTypeProvider<string, object?>
    {
        public static readonly TypeNames Instance = new();

        public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{shape.Rank}]";

        public string GetByReferenceType(string elementType) => elementType + "&";

        public string GetFunctionPointerType(MethodSignature<string> signature) => "function";

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => $"{genericType}<{string.Join(", ", typeArguments)}>";

        public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetPinnedType(string elementType) => elementType;

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => NameOf(reader, handle);

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
        }

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
    }
}
