"""Trains the adapters of a home with several processes, a GPU each:
`accelerate launch --num_processes 2 -m emovid_assets.resources.tuning.together HOME`, and after it `emovid build`,
which finds them and writes their rows.

Belongs here: that program. Does not belong here: training (`trainings`).
"""

import logging
import sys
from pathlib import Path

from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.tuning.loop import TuningFailedError
from emovid_assets.core.tuning.team import Together
from emovid_assets.resources.tuning.adapters import Absent, all_due, why_not
from emovid_assets.resources.tuning.trainings import device_kind, train, trained
from emovid_assets.resources.workplace import PlainWorkplace


def main(home: Path) -> int:
    """How many of the adapters of the settings could not be trained."""
    project, log = PlainWorkplace(str(home)), logging.getLogger("emovid.tuning")
    team = Together(is_on_cpu=device_kind(project) == "cpu")
    logging.basicConfig(level=logging.WARNING if team.number else logging.INFO, format="%(message)s")
    faults = 0
    for one, due in all_due(project, reads=True):
        if isinstance(due, Absent):
            log.error(due.why)
            faults += 1
            continue
        try:
            if not due.folder.exists():
                train(project, due, log, team)
            team.wait()
            if team.number == 0:
                trained(project, due, log)
        except (ModelNotUsableError, TuningFailedError) as error:
            log.error(why_not(one, error))
            faults += 1
    return faults


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
