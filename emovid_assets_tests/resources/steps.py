"""Steps for tests of `compute`: they run in spawned workers, so they live in a module of their own."""

import errno
import os
import signal
import time
from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import MediaError


def work(arguments: dict[str, Any]) -> dict[str, Any]:
    """Notes that it ran, then does what `act` says. The note is one line, appended in one write."""
    if "log" in arguments:
        with Path(arguments["log"]).open("a") as file:
            file.write(f"{arguments['name']}\n")
    time.sleep(arguments.get("seconds", 0))
    match arguments.get("act"):
        case "refuse":
            raise MediaError(arguments.get("code", "truncated"), "It ends too early")
        case "full":
            raise OSError(errno.ENOSPC, "No space left on device", arguments["name"])
        case "home":
            raise KeyError(arguments["home"])
        case "fail":
            raise KeyError("nobody foresaw this")
        case "exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "devour":
            bytearray(2**31)
        case "enomem":
            try:
                raise OSError(errno.ENOMEM, "Cannot allocate memory")
            except OSError as error:
                raise MediaError("corrupt_frames", "Some frames cannot be decoded") from error
    payload: dict[str, Any] = {"answer": arguments["number"] ** 2}
    if "tell_home" in arguments:
        payload["home"] = arguments["home"]
    if "tell" in arguments:
        payload["process"] = os.getpid()
    if "file" in arguments:
        target = Path(arguments["home"], arguments["file"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(str(payload["answer"]))
        payload["files"] = [arguments["file"]]
    return payload
