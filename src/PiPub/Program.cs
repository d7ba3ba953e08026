Console.WriteLine("PiPub");
