using PiPub.Configuration;

Console.Write(ConfigurationTable.ToMarkdown());
