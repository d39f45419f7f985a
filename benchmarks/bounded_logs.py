"""How large Dagster's folder of a home becomes, over builds that change something and over ticks that find nothing.

    python -m benchmarks.bounded_logs [--builds 50] [--ticks 200] [--keep-runs 30]

Makes a home of three drawn stickers in a temporary folder. Each build is given another seed, so that much of the graph
is built anew. The ticks are those of the real sensor daemon with every sensor on, a quarter of an hour apart by a clock
that is turned on: 200 of them are two days, and `dagster.yaml` keeps what a quiet tick said for one. After each day the
history is tidied as by night. Prints the size of the folder on the way. Exits with 1 where it was larger in the last
quarter than in the one before by more than a tenth.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.sensor import execute_sensor_iteration

from emovid_assets.home.folders import Home
from emovid_assets.orchestration.history import tidy
from emovid_assets_tests.assets.homes import draw_gif

BETWEEN_TICKS = timedelta(minutes=15)
MOST_GROWTH = 1.1


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def is_bounded(what: str, folder: Path, count: int, steps: Iterator[object]) -> bool:
    """Goes on step by step, and says whether the folder was as large at the end as a quarter before."""
    sizes = [size_of(folder)]
    began = time.process_time()
    for number, _ in enumerate(steps, 1):
        sizes.append(size_of(folder))
        if number % max(1, count // 10) == 0:
            print(f"{what} {number:4}: {sizes[-1] / 1e6:7.2f} MB, {time.process_time() - began:6.1f} s of processor")
    quarter = max(1, len(sizes) // 4)
    before, last = max(sizes[-2 * quarter : -quarter]), max(sizes[-quarter:])
    print(f"{what}: at most {before / 1e6:.2f} MB in the third quarter, {last / 1e6:.2f} MB in the last")
    return last <= before * MOST_GROWTH


def builds(home: Home, count: int, keep_runs: int) -> Iterator[None]:
    from emovid_assets.building import runner

    for number in range(count):
        text = f'seed = "{number}"\n[history]\nkeep_runs = {keep_runs}\n'
        (home.root / "emovid.toml").write_text(text, encoding="utf-8")
        errors = [report.error for report in runner.build(home, domains=["sticker"]) if report.error]
        if errors:
            raise SystemExit("\n".join(errors))
        yield


def ticks(home: Home, count: int) -> Iterator[None]:
    from emovid_assets.building.runner import open_instance

    log = logging.getLogger("ticks")
    a_day = timedelta(days=1) // BETWEEN_TICKS
    target = ModuleTarget("emovid_assets.definitions", attribute=None, working_directory=None, location_name="emovid")
    now = datetime.now(UTC)
    with open_instance(home) as instance, create_test_daemon_workspace_context(target, instance) as context:
        for number in range(count):
            with freeze_time(now + number * BETWEEN_TICKS):
                list(execute_sensor_iteration(context, log, None, None))
            if number and number % a_day == 0:
                # As the schedule `nightly_tidying` does.
                tidy(instance, home.settings().history, log)
            yield
        _require_ticks(instance, count)


def _require_ticks(instance: dg.DagsterInstance, count: int) -> None:
    """Growth that did not happen because nothing ticked would prove nothing."""
    kept = {
        state.instigator_name: len(instance.get_ticks(state.instigator_origin_id, state.selector_id))
        for state in instance.all_instigator_state()
    }
    print(f"ticks that are kept: {', '.join(f'{name} {number}' for name, number in sorted(kept.items()))}")
    if "library_files" not in kept or (count > 10 and max(kept.values()) < 10):
        raise SystemExit("the sensors did not tick")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--builds", type=int, default=50)
    parser.add_argument("--ticks", type=int, default=200)
    parser.add_argument("--keep-runs", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder).resolve())
        os.environ |= {"EMOVID_HOME": str(home.root), "EMOVID_AUTOMATION": "on"}
        for number in range(3):
            draw_gif(home.library / "sticker" / "awe" / f"{number}.gif", (40 * number, 90, 200))
        history = home.root / "dagster"
        stages: dict[str, tuple[int, Callable[[], Iterator[object]]]] = {
            "builds": (asked.builds, lambda: builds(home, asked.builds, asked.keep_runs)),
            "ticks": (asked.ticks, lambda: ticks(home, asked.ticks)),
        }
        # Both are shown, whatever the first one says.
        held = [is_bounded(what, history, count, steps()) for what, (count, steps) in stages.items()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
