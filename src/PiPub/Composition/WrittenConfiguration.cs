using PiPub.Configuration;
using PiPub.Node.Sentences;

namespace PiPub.Composition;

/// <summary>Writes what the pages change into <c>pipub.conf</c>, for the next start.</summary>
internal static class WrittenConfiguration
{
    /// <summary>Sets keys, all or none; an empty value takes its key out.</summary>
    /// <exception cref="RefusedException">One is set in a stronger place, or the file cannot be written; the message is for a person.</exception>
    public static void Write(PiPubOptions options, params ReadOnlySpan<(string Key, string Value)> settings)
    {
        foreach (var (key, _) in settings)
        {
            if (options.SetElsewhere.TryGetValue(key, out var where))
            {
                throw new RefusedException(Sentence.Of($"The setting {key} is fixed by {where}. Change it there."));
            }
        }

        try
        {
            ConfigurationFile.Set(options.ConfigurationFile, settings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Sentence.Of($"The settings could not be written down: {e.Message}"), e);
        }
    }
}
