# The health check of `dagster code-server` says that all is well for good after the server behind it has ended.
#
# Seen with dagster 1.13.27, Python 3.11.7, Linux.
#
# `dagster code-server start` is a proxy: it starts a process `dagster api grpc` with the code, and hands calls to it.
# When that process is ended (a kernel that is short of memory picks the largest one), nothing starts it again. The
# proxy stays, and `dagster api grpc-health-check`, which containers are judged by, still ends with 0, while every call
# that needs the code raises. `dagster dev` looks at the proxy alone, so it notices nothing either. A plain
# `dagster api grpc` has no second process: it is gone, and whoever watches it can start it again.
#
# Output that was seen:
#   before: health check 0, asked for its repositories: answers
#   45 s after the server behind it has ended: health check 0, asked for its repositories: DagsterUserCodeUnreachableError
#   servers behind it now: 0
set -eu
unset PYTHONPATH DAGSTER_HOME
export DAGSTER_DISABLE_TELEMETRY=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq dagster==1.13.27 psutil==7.2.2; } || exit 2

cat >served.py <<'PY'
import dagster as dg

defs = dg.Definitions()
PY

cat >look.py <<'PY'
import os
import subprocess
import sys
import time

import psutil
from dagster._grpc.client import DagsterGrpcClient

WAIT_S = 45
socket = os.path.join(os.getcwd(), "code")
dagster = [sys.executable, "-W", "ignore", "-m", "dagster"]
server = subprocess.Popen(
    [*dagster, "code-server", "start", "--socket", socket, "--module-name", "served"], stdout=subprocess.DEVNULL
)
client = DagsterGrpcClient(socket=socket)


def health():
    command = [*dagster, "api", "grpc-health-check", "--socket", socket]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def answer():
    try:
        client.list_repositories()
        return "answers"
    except Exception as error:
        return type(error).__name__


def behind():
    children = psutil.Process(server.pid).children(recursive=True)
    return [child for child in children if "grpc" in " ".join(child.cmdline())]


try:
    until = time.monotonic() + 90
    while answer() != "answers" and time.monotonic() < until:
        time.sleep(0.5)
    before = (health(), answer())
    print(f"before: health check {before[0]}, asked for its repositories: {before[1]}")
    for child in behind():
        child.kill()
    time.sleep(WAIT_S)
    after = (health(), answer())
    print(
        f"{WAIT_S} s after the server behind it has ended: health check {after[0]}, "
        f"asked for its repositories: {after[1]}"
    )
    left = len([child for child in behind() if child.status() != psutil.STATUS_ZOMBIE])
    print(f"servers behind it now: {left}")
finally:
    for process in (*psutil.Process(server.pid).children(recursive=True), server):
        process.kill()
if (before, after, left) != ((0, "answers"), (0, "DagsterUserCodeUnreachableError"), 0):
    sys.exit("changed: the health check knows of it, or the server behind it is started again")
PY
venv/bin/python -W ignore look.py 2>errors || { tail -5 errors; exit 1; }
