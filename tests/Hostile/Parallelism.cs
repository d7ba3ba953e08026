// Speeds are compared: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
