"""Trainings in processes of their own: `python -m … killed STEP HOME…` or `python -m … together PORT HOME`.

Killed: a training a home kills itself by SIGKILL after that step. Together: two processes train the adapters of a home,
and what each says and how it ends goes to `<rank>.txt` of the home. The processes are forks of this one, which has
loaded what they need: that takes longer than all they do.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import diffusers  # noqa: F401 - for the forks
import torch
import transformers  # noqa: F401 - for the forks

from emovid_assets.core.stand_ins import declare_torchvision_operators
from emovid_assets.resources.progress import listener
from emovid_assets.resources.tuning import together
from emovid_assets.resources.tuning.adapters import adapters_of
from emovid_assets.resources.workplace import PlainWorkplace


def killed(home: Path, last_step: int) -> None:
    def killing(what: str, done: int, total: int) -> None:
        if what.endswith("steps") and done == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    listener.set(killing)
    adapters_of(PlainWorkplace(str(home)), logging.getLogger("emovid.tests"))


def one_of_two(home: Path, port: str, rank: int) -> None:
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "ACCELERATE_USE_CPU": "1"}
    os.environ |= {**where, "RANK": str(rank), "LOCAL_RANK": str(rank)}
    with (home / f"{rank}.txt").open("w") as said:
        sys.stderr = said
        print(together.main(home), file=said)


def forked(work: Callable[[], None]) -> int:
    """The id of a process that does the work."""
    if pid := os.fork():
        return pid
    work()
    os._exit(0)


def main(what: str, number: str, homes: list[str]) -> int:
    """Whether all ended as they should, as an exit code."""
    torch.set_num_threads(1)
    declare_torchvision_operators()
    if what == "killed":
        pids = [forked(lambda home=home: killed(Path(home), int(number))) for home in homes]
        expected = -signal.SIGKILL
    else:
        pids = [forked(lambda rank=rank: one_of_two(Path(homes[0]), number, rank)) for rank in range(2)]
        expected = 0
    return int(any(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != expected for pid in pids))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
