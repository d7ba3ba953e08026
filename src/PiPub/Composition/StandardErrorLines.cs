using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace PiPub.Composition;

/// <summary>Writes an event of the log as one line that a person can read: when (UTC), how serious, who says it, and what.</summary>
/// <remarks>The framework's console logger has a thread, a container of services and a configuration of its own, which cost every start a tenth of its time.</remarks>
/// <param name="to">Where the lines go; whole ones, whoever writes at the same time.</param>
/// <param name="time">The clock.</param>
internal sealed class StandardErrorLines(TextWriter to, TimeProvider time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    private static string OnOneLine(string text) => text.ReplaceLineEndings(" ");

    private void Write(LogLevel level, string source, string text, Exception? exception)
    {
        var line = new StringBuilder();
        _ = line.Append(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd HH:mm:ss} {Word(level)}: {source}: {OnOneLine(text)}");
        if (exception is not null)
        {
            _ = line.Append(' ').Append(OnOneLine(exception.ToString()));
        }

        to.Write(line.AppendLine().ToString());
    }

    private sealed class Logger(StandardErrorLines lines, string source) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lines.Write(logLevel, source, formatter(state, exception), exception);
            }
        }
    }
}
