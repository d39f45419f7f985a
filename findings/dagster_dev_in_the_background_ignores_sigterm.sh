# `dagster dev` that a script has started in the background ends neither by SIGINT nor by SIGTERM.
#
# Seen with dagster and dagster-webserver 1.13.27, Python 3.11.7, bash 5.2, Linux.
#
# A shell without job control starts what stands before `&` with SIGINT ignored (POSIX). Dagster gives SIGTERM the handler
# that SIGINT has, so that SIGTERM is ignored as well, and a service manager or `kill` waits in vain. Started by a program
# that leaves SIGINT as it is, the same command ends within seconds.
#
# Output that was seen:
#   SIGINT as usual: SIGTERM ends it
#   SIGINT ignored: SIGTERM does not end it
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq dagster==1.13.27 dagster-webserver==1.13.27; } || exit 2
export DAGSTER_HOME=$work/home
mkdir "$DAGSTER_HOME"

cat >nothing.py <<'PY'
import dagster

defs = dagster.Definitions()
PY

cat >look.py <<'PY'
import os
import signal
import socket
import subprocess
import sys
import time

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def ends(is_ignored):
    command = ["venv/bin/dagster", "dev", "-f", "nothing.py", "-h", "127.0.0.1", "-p", str(port)]
    way = signal.SIG_IGN if is_ignored else signal.SIG_DFL
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, way),
    )
    for line in process.stdout:
        if "Serving dagster-webserver" in line:
            break
    process.terminate()
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    has_ended = process.poll() is not None
    if not has_ended:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return has_ended


found = {}
for is_ignored in (False, True):
    found[is_ignored] = ends(is_ignored)
    said = "ends it" if found[is_ignored] else "does not end it"
    print(f"SIGINT {'ignored' if is_ignored else 'as usual'}: SIGTERM {said}", flush=True)
if found != {False: True, True: False}:
    sys.exit("changed: SIGTERM ends both, or neither")
PY
PATH=$work/venv/bin:$PATH venv/bin/python look.py
