namespace PiPub.Web.Settings;

/// <summary>Gathers what somebody who helps needs to know of the box, and no secret.</summary>
public interface ISupportBundle
{
    /// <summary>Writes it as a .zip file.</summary>
    void Write(Stream zip);
}
