using Microsoft.Extensions.Logging;
using PiPub.Web.Logs;

namespace PiPub.Composition;

/// <summary>The log: a line an event on standard error, where a journal picks it up; the last of them stay at hand for the pages.</summary>
internal static class StandardErrorLog
{
    public static ILoggerFactory Open(LogLevel level, RecentLog recent)
    {
        var filters = new LoggerFilterOptions { MinLevel = level };
        // The frameworks beneath speak of every request; what they call a warning matters. A start that failed is told once.
        Filter("Microsoft", level == LogLevel.Trace ? level : level > LogLevel.Warning ? level : LogLevel.Warning);
        // That the keys of forms lie beside the box's own secret, unencrypted, is so on purpose.
        Filter("Microsoft.AspNetCore.DataProtection.KeyManagement", level == LogLevel.Trace ? level : LogLevel.Error);
        Filter("Microsoft.Extensions.Hosting", LogLevel.None);
        return new LoggerFactory([recent, new StandardErrorLines(Console.Error, TimeProvider.System)], filters);

        void Filter(string category, LogLevel least) => filters.Rules.Add(new LoggerFilterRule(providerName: null, category, least, filter: null));
    }
}
