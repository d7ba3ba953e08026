using System.Globalization;
using PiPub.Hostile;
using PiPub.Soak;

// Soak [minutes]: mixed traffic for so long, and what the box took meanwhile.
var length = TimeSpan.FromMinutes(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 20);
await using var target = await Target.StartAsync();
await using var traffic = new Traffic(target);
traffic.Begin();
var samples = await Samples.TakeAsync(target, length, traffic.Describe);
var complaints = await traffic.EndAsync();
complaints.AddRange(samples.Judge());
Console.WriteLine(traffic.Describe());
foreach (var complaint in complaints)
    Console.WriteLine("NOT FLAT, OR NOT RIGHT: " + complaint);
if (complaints.Count == 0)
    Console.WriteLine("Flat.");
return complaints.Count == 0 ? 0 : 1;
