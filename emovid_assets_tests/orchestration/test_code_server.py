"""The code server of the UI: there again when it has died, and gone with the UI."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from emovid_assets.orchestration import code_server
from emovid_assets_tests.assets.homes import ROOT

# As `emovid ui`, which becomes `dagster dev`.
UI = """
import os, time
from emovid_assets.orchestration.code_server import start_beside
print(start_beside(os.environ), flush=True)
time.sleep(300)
"""


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.integration
def test_a_code_server_that_is_killed_is_started_again_and_ends_when_the_ui_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EMOVID_HOME": str(tmp_path), "DAGSTER_HOME": ""}
    command = [sys.executable, "-c", UI]
    ui = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert ui.stdout
        workspace = Path(ui.stdout.readline().strip())
        (entry,) = yaml.safe_load(workspace.read_text(encoding="utf-8"))["load_from"]
        address = Path(entry["grpc_server"]["socket"])
        (keeper,) = children(ui.pid)
        (server,) = children(keeper)
        os.kill(server, signal.SIGKILL)
        until(lambda: children(keeper) not in ([], [server]) and code_server._is_listening(address))
        ui.kill()
        until(lambda: not Path(f"/proc/{keeper}").exists())
        assert not workspace.parent.exists()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(ui.pid, signal.SIGKILL)
        ui.communicate()


def test_a_code_server_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(code_server.CodeServerError, match="does not start"):
        code_server.start_beside(os.environ)
