using PiPub.Scuttlebutt.LegacyLogs;

namespace PiPub.Fuzz;

/// <summary>All targets.</summary>
internal static class Targets
{
    /// <summary>Makes them anew.</summary>
    public static IReadOnlyList<FuzzTarget> All() =>
    [
        new HandshakeTarget(),
        new BoxStreamTarget(),
        new FrameTarget(),
        new SessionTarget(),
        new CanonicalJsonTarget(),
        new ClassicVerifyTarget(),
        new ClassicPeekTarget(),
        new ContentTarget(),
        new RequestTarget(),
        new EbtNotesTarget(),
        new BlobWantsTarget(),
        new InviteCodeTarget(),
        new MultiserverTarget(),
        new IdentifierTarget(),
        new PlainPacketTarget(),
        new EncryptedPacketTarget(),
        new GatewayTarget(),
        new LogRecoveryTarget(),
        new BackupTarget(),
        new LegacyLogTarget(LegacyLogKind.Flume),
        new LegacyLogTarget(LegacyLogKind.AppendOnly),
        new SecretTarget(),
        new ConfigurationTarget(),
    ];
}
