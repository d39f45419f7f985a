"""The code server of `emovid ui`: started by ourselves, and started again when it dies.

The one that `dagster dev` starts stands behind another process, which goes on when the server has died and says that it
is healthy; no sensor and no run would start until somebody reloads the location by hand.

Belongs here: that it runs as long as the UI does. Does not belong here: what it serves, and the code server of the
containers, which is started again with its container.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import yaml

LOCATION = "emovid_assets"
LOOK_EVERY_S = 1.0
STARTS_WITHIN_S = 120.0
ENDS_WITHIN_S = 30.0
"""A server that takes longer is killed; its runs are found and started again with the next one."""


class CodeServerError(RuntimeError):
    """The code server does not start; the message says what to do."""


def start_beside(environment: Mapping[str, str]) -> Path:
    """The `workspace.yaml` of a code server that has been started and ends with this process, whatever it becomes.

    Raises CodeServerError.
    """
    # The path of a socket is limited to some hundred characters; that of a home is not.
    folder = Path(tempfile.mkdtemp(prefix="emovid-ui-"))
    address = folder / "code"
    server = {"socket": str(address), "location_name": LOCATION}
    workspace = folder / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    keeper = subprocess.Popen([sys.executable, "-m", __name__, str(address)], env=environment)
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not _is_listening(address):
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.terminate()
            shutil.rmtree(folder, ignore_errors=True)
            raise CodeServerError("the code server does not start; what it says stands above")
        time.sleep(0.1)
    return workspace


def keep_running(address: Path) -> None:
    """Runs a code server at a socket and starts it again when it ends, as long as the parent process is there."""
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    command = [
        *(sys.executable, "-m", "dagster", "api", "grpc", "--socket", str(address)),
        *("--module-name", "emovid_assets.definitions", "--location-name", LOCATION),
        # It listens at once, and code that does not load is shown in the UI.
        *("--lazy-load-user-code", "--log-level", "warning"),
    ]
    try:
        while os.getppid() == parent:
            address.unlink(missing_ok=True)
            _run(command, parent)
    finally:
        shutil.rmtree(address.parent, ignore_errors=True)


def _run(command: list[str], parent: int) -> None:
    server = subprocess.Popen(command)
    try:
        while os.getppid() == parent and server.poll() is None:
            time.sleep(LOOK_EVERY_S)
        if server.returncode is not None:
            sys.stderr.write(f"the code server has ended ({server.returncode}) and is started again\n")
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(ENDS_WITHIN_S)
        server.kill()


def _is_listening(address: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as one:
        return one.connect_ex(str(address)) == 0


if __name__ == "__main__":
    keep_running(Path(sys.argv[1]))
