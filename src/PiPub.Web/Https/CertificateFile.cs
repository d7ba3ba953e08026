using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PiPub.Storage.Disk;

namespace PiPub.Web.Https;

/// <summary>A certificate and its private key in one file, so that they belong together whatever happens: PEM, readable by the box's user only (0400).</summary>
/// <remarks>Source: RFC 7468; the key as PKCS #8. Files larger than 64 KiB are none.</remarks>
internal static class CertificateFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads a certificate with its key; null when there is no file.</summary>
    /// <exception cref="InvalidDataException">There is a file, and no certificate with a key in it.</exception>
    public static X509Certificate2? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var text = new FileInfo(path).Length <= MaxBytes ? File.ReadAllText(path) : "";
            return X509Certificate2.CreateFromPem(text, text);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Writes a certificate with its key: whole, or not at all.</summary>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public static void Write(string path, X509Certificate2 certificate, ECDsa key) => FileSync.Replace(
        path, Encoding.ASCII.GetBytes($"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n"), UnixFileMode.UserRead);
}
