namespace PiPub.Node.Tests;

/// <summary>Tests that measure the whole process's memory: nothing runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
