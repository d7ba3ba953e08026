namespace PiPub.Appliance.Tests.Updates;

/// <summary>
/// A <c>rauc</c> that reads what it shall do from the first line of the bundle, and says what RAUC 1.13 says: its words were copied from
/// runs with bundles that were signed with another key, cut off, changed, or for another board.
/// </summary>
internal static class PretendedRauc
{
    private const string Script = """
        #!/bin/sh
        here=$(dirname "$0")
        echo "$*" >> "$here/calls"
        echo "rauc-Message: 18:42:26.147: Using system config file /etc/rauc/system.conf" >&2
        steps() {
            printf 'installing\n  0%% Installing\n  0%% Determining slot states\n 10%% Determining slot states done.\n 10%% Checking bundle\n'
        }
        failed() {
            printf '100%% Installing failed.\nLastError: %s\nidle\nInstalling `%s` failed\n' "$1" "$bundle"
            exit 1
        }
        case $1 in
        status)
            printf '%s\n' '{"compatible":"pipub-pc","variant":"","booted":"A","boot_primary":"rootfs.0","slots":[{"rootfs.1":{"class":"rootfs","device":"/dev/s1","type":"raw","bootname":"B","state":"inactive","parent":null,"mountpoint":null,"boot_status":"good","slot_status":{"bundle":{"compatible":"pipub-pc","version":"0.1.0"}}}},{"boot.0":{"class":"boot","device":"/dev/b0","type":"raw","bootname":null,"state":"active","parent":"rootfs.0","mountpoint":null,"boot_status":null}},{"rootfs.0":{"class":"rootfs","device":"/dev/s0","type":"raw","bootname":"A","state":"booted","parent":null,"mountpoint":null,"boot_status":"bad","slot_status":{"bundle":{"compatible":null}}}}],"artifact-repositories":[]}'
            exit 0 ;;
        info) bundle=$3 ;;
        install) bundle=$2; steps ;;
        esac
        read -r kind board version < "$bundle"
        case $kind in
        other-key) words="signature verification failed: Verify error: self-signed certificate" ;;
        truncated) words="Invalid bundle format: Signature size (1352717206040800370) exceeds bundle size" ;;
        signature) words="signature verification failed: error:1700009E:CMS routines:CMS_SignerInfo_verify:verification failure" ;;
        *) words= ;;
        esac
        if [ "$1" = info ]; then
            [ -z "$words" ] || { echo "$words" >&2; exit 1; }
            printf '{"compatible":"%s","version":"%s","description":"Test","build":"20261121","format":"verity","hooks":[],"hash":"2457","images":[]}\n\n' "$board" "$version"
            exit 0
        fi
        [ -z "$words" ] || failed "$words"
        printf ' 40%% Checking bundle done.\n 80%% Updating slots\n'
        [ "$kind" != payload ] || failed "Failed updating slot rootfs.1: failed to copy data: Input/output error"
        printf '100%% Updating slots done.\n100%% Installing done.\nidle\nInstalling `%s` succeeded\n' "$bundle"
        """;

    public static string Write(string directory)
    {
        var path = Path.Combine(directory, "rauc");
        File.WriteAllText(path, Script);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
