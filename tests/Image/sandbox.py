"""The node's own sandbox, for other commands: what the unit file allows them is what it allows the node."""

PROBE = r"""
unit=/run/systemd/system/pipub-probe.service
sed -e 's/^Type=.*/Type=oneshot/' -e 's|^ExecStart=.*|ExecStart=/bin/sh /run/probe|' -e '/^\(NotifyAccess\|WatchdogSec\|Restart\|RuntimeDirectory\|After\|Wants\|StartLimit\)/d' \
    -e '/^Type=/a StandardOutput=truncate:/run/probe-said' /usr/lib/systemd/system/pipub.service >$unit
systemctl daemon-reload
systemctl start pipub-probe.service
echo "ended with $(systemctl show -P ExecMainStatus pipub-probe.service)"
cat /run/probe-said
rm -f $unit /run/probe /run/probe-said
systemctl daemon-reload
systemctl reset-failed
"""


def in_sandbox(shell, command):
    """What a command says that runs as the node does: its user, its file systems, its system calls. `shell` runs a script in the box as root."""
    return shell(f"cat >/run/probe <<'END'\n{command}\nEND\n{PROBE}")
