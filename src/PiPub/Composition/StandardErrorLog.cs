using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using PiPub.Web.Logs;

namespace PiPub.Composition;

/// <summary>The log: a line an event on standard error, where a journal picks it up; the last of them stay at hand for the pages.</summary>
internal static class StandardErrorLog
{
    public static ILoggerFactory Open(LogLevel level, RecentLog recent) => LoggerFactory.Create(log =>
    {
        log.SetMinimumLevel(level);
        // The frameworks beneath speak of every request; what they call a warning matters. A start that failed is told once.
        log.AddFilter("Microsoft", level == LogLevel.Trace ? level : level > LogLevel.Warning ? level : LogLevel.Warning);
        // That the keys of forms lie beside the box's own secret, unencrypted, is so on purpose.
        log.AddFilter("Microsoft.AspNetCore.DataProtection.KeyManagement", level == LogLevel.Trace ? level : LogLevel.Error);
        log.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        log.AddProvider(recent);
        log.AddConsole(static console => console.FormatterName = LogLine.Format);
        log.Services.AddSingleton<ConsoleFormatter>(new LogLine(TimeProvider.System));
        log.Services.Configure(static (ConsoleLoggerOptions console) =>
            console.LogToStandardErrorThreshold = LogLevel.Trace);
    });
}
