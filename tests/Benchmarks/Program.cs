using PiPub.Benchmarks;

return await Run.MainAsync(args);
