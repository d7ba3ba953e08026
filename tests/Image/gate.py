"""The health gate of the image, run in a container with commands in the place of those that it asks and tells: what it decides, and after
how many answers. With the real ones it is at work in machine.py."""

import json

STUBS = r"""
mkdir -p /run/gate && cd /run/gate
cat >systemctl <<'END'
#!/bin/sh
cd /run/gate
case "$*" in
    *NRestarts*) cat crashes ;;
    *ActiveState*) if [ $(cat starting) -gt 0 ]; then echo $(($(cat starting) - 1)) >starting; echo activating; else echo active; fi ;;
    *) echo "systemctl $*" >>did ;;
esac
END
cat >setpriv <<'END'
#!/bin/sh
cd /run/gate
asked=$(($(cat asked) + 1))
echo $asked >asked
[ $asked -lt $(cat well-at) ] || exit 0
echo '{"healthy":false,"checks":[{"name":"page","good":false,"words":"The page does not answer."}]}'
exit 1
END
printf '#!/bin/sh\necho "rauc $*" >>/run/gate/did\n' >rauc
printf '#!/bin/sh\n' >sleep
printf '#!/bin/sh\necho The disk is full.\n' >journalctl
chmod 755 systemctl setpriv rauc sleep journalctl
"""


def gate(checks, box):
    """All that it may decide. Nothing of it stays in the box."""
    box.run("sh", "-c", STUBS)
    version = box.run("cat", "/usr/lib/pipub/image-version")

    def run(well_at, crashes=0, starting=0, before=None):
        """What it did, how often it asked, and what it left for the page."""
        box.run("sh", "-c", f"cd /run/gate && echo {well_at} >well-at && echo {crashes} >crashes && echo {starting} >starting && echo 0 >asked && : >did"
                f" && rm -f /data/health.json /data/system/good-version && {{ [ -z '{before or ''}' ] || echo {before} >/data/system/good-version; }}")
        box.run("env", "PATH=/run/gate:/usr/sbin:/usr/bin", "/usr/lib/pipub/bin/health-gate", check=False)
        report = box.run("cat", "/data/health.json", check=False)
        return box.run("cat", "/run/gate/did").splitlines(), int(box.run("cat", "/run/gate/asked")), json.loads(report) if report.startswith("{") else None

    kept, back = ["rauc status mark-good"], ["rauc status mark-bad", "systemctl --no-block reboot"]
    checks.equal("the health gate keeps a version that is well", (kept, 1, None), run(1, before="0.0.1"))
    checks.equal("... and notes it as the one to go back to", version, box.run("cat", "/data/system/good-version"))
    checks.equal("... waits for a node that has much to read before it answers, and for a machine that is slow", (kept, 20, None), run(20, starting=200, before="0.0.1"))
    did, asked, report = run(10 ** 6, before="0.0.1")
    checks.equal("... goes back to the version before after thirty answers that are not well", (back, 30), (did, asked))
    checks.that("... and leaves word of what was found", report and report["version"] == version and report["health"]["checks"][0]["words"] == "The page does not answer.", report)
    did, asked, report = run(10 ** 6, crashes=4, before="0.0.1")
    checks.equal("... goes back from a node that crashes again and again, without asking it", (back, 0), (did, asked))
    checks.equal("... and leaves word of what it said last", "It ended 4 times without being asked to. The last that it said: The disk is full.", report and report["health"])
    checks.equal("... goes nowhere on a new box, and asks on until it is well", (kept, 100, None), run(100))
    box.run("rm", "-rf", "/run/gate", "/data/health.json", "/data/system/good-version")
