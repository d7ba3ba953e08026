using System.Text;

namespace PiPub.Web.Access;

/// <summary>
/// The claim file: a code that the owner writes on the card before the box first starts, where any computer can write
/// it. While there is one, it is the code with which the box is claimed.
/// </summary>
/// <remarks>Text in UTF-8, of at most 1,024 bytes with the white space around it.</remarks>
public static class ClaimFile
{
    private const int MaxBytes = 1024;

    /// <summary>Reads the code.</summary>
    /// <param name="path">Where the file is, if there is one.</param>
    /// <param name="problem">Why there is a file and no code in it, in words; null when that is not so.</param>
    /// <returns>The code; null when there is none.</returns>
    public static ClaimCode? Read(string? path, out string? problem)
    {
        problem = null;
        if (path is null || !File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var text = length > MaxBytes ? "" : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.AsSpan(0, length)).Trim('\uFEFF').Trim();
            var code = ClaimCode.Chosen(text);
            problem = code is null
                ? $"The claim file {path} cannot be used: a code has at least {ClaimCode.Least} letters or digits and at most {ClaimCode.Most} characters."
                : null;
            return code;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            problem = $"The claim file {path} cannot be read: {e.Message}";
            return null;
        }
    }
}
