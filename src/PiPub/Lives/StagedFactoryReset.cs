using PiPub.Configuration;
using PiPub.Node.Sentences;
using PiPub.Web.Restart;

namespace PiPub.Lives;

/// <summary>The factory reset as the pages ask for it: noted down first, then done by a restart.</summary>
internal sealed class StagedFactoryReset(PiPubOptions options, BoxLife life) : IFactoryReset
{
    public void Begin() => life.Restart(() =>
    {
        try
        {
            StartActions.Stage(options.DataDirectory, FactoryReset.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Sentence.Of($"The box could not note down that it shall begin anew: {e.Message}"), e);
        }
    });
}
