// Each test runs several boxes and peers: two tests at a time are what a small machine carries.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
