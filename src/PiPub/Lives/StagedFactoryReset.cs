using PiPub.Appliance.Image;
using PiPub.Configuration;
using PiPub.Node.Sentences;
using PiPub.Web.Restart;

namespace PiPub.Lives;

/// <summary>
/// The factory reset as the pages and the button ask for it: noted down first, then done by a restart. The machine of an image does
/// it more thoroughly and at once: it throws away the key of the whole data partition.
/// </summary>
internal sealed class StagedFactoryReset(PiPubOptions options, BoxLife life, MachineRequests machine) : IFactoryReset
{
    public void Begin() => life.Restart(() =>
    {
        try
        {
            StartActions.Stage(options.DataDirectory, FactoryReset.Name);
            if (machine.AreHeard)
            {
                machine.FactoryReset();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Sentence.Of($"The box could not note down that it shall begin anew: {e.Message}"), e);
        }
    });
}
