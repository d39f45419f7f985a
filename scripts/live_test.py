"""A home that lives: `emovid ui --live` while files, answers, broken files and SIGKILLs come at random.

`python scripts/live_test.py --library FOLDER --minutes 120 --seed 0`: the folder holds `movie/`, `animation/`,
`sticker/` as a library does; it is only read. Its files come one after another, some broken and mended later, and small
drawn stickers between them; files go and are replaced by others; people answer what is open; settings change; somebody
types `emovid build` beside the daemon; processes of Dagster are killed, singly and all at once, and started anew as a
service manager would. Then nothing comes any more, and everything must be up to date within `--rest-minutes`.

What must hold then: no run is under way or was left behind; every media file of the library is a source or is in the
quarantine; every answer to a clip that is still there counts; `emovid verify` holds; and the tables that do not
depend on the order of events are those of a fresh home with the same library. Each event is a line of JSON on
standard output, the last line says what was found. Ends with 1 where something does not hold; the home is kept then.
"""

import argparse
import csv
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from emovid_assets.building.status import asset_states, unresolved_failures
from emovid_assets.core.annotations import CHOICES_BY_PURPOSE
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.instance import opening
from emovid_assets.resources.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[1]
TICK_S = 5
MARK = "EMOVID_LIVE_TEST"
"""In the environment of every process of the home, by which it is found again."""
# What a process of Dagster is called in its command line.
KINDS = {
    "run": "execute_run",
    "step": "multiprocessing",
    "code server": "api grpc",
    "daemon": "daemon",
    "web server": "webserver",
}
# Of a hundred events. Most are what people do; a kill every few minutes is already a bad machine.
EVENTS = {"sticker": 30, "file": 20, "answers": 16, "kill": 10, "broken": 6, "mended": 6, "gone": 4, "changed": 4}
EVENTS |= {"build": 2, "setting": 2}
ORDERLESS = (
    *("source_videos", "scanned_segments", "segments"),
    *("clips", "clip_media", "colour_attributes", "clip_fingerprints"),
)
"""Tables whose rows rest on the library alone."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rest-minutes", type=float, default=30, help="how long it may take until all is up to date")
    parser.add_argument("--pause-s", type=float, default=20, help="mean time between two events")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder for the homes; removed unless something does not hold")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="live-test-", dir=chosen.work))
    live = LiveHome(work, chosen.library, random.Random(chosen.seed))
    try:
        live.go_on(chosen.minutes * 60, chosen.pause_s)
        faults = live.faults(chosen.rest_minutes * 60)
    finally:
        live.end()
    say("end", faults=faults, events=dict(live.counts), home=str(work) if faults else None)
    if not faults:
        shutil.rmtree(work)
    return 1 if faults else 0


def say(event: str, **facts: Any) -> None:
    print(json.dumps({"at": time.strftime("%H:%M:%S"), "event": event, **facts}), flush=True)


class LiveHome:
    """A home with its Dagster, and everything that happens to it."""

    def __init__(self, work: Path, library: Path, chance: random.Random) -> None:
        self.home = Home(work / "home")
        self.work, self.chance = work, chance
        self.counts: Counter[str] = Counter()
        self.environment = {
            **os.environ,
            "EMOVID_HOME": str(self.home.root),
            "EMOVID_TICK_S": str(TICK_S),
            "PYTHONPATH": str(ROOT),
            MARK: str(work),
        }
        self.waiting = {domain: self._shuffled(library / domain) for domain in DOMAINS}
        self.whole_of: dict[Path, Path] = {}
        """By broken file the one that it will be."""
        self.answered: dict[tuple[str, str, str], str] = {}
        """By clip, purpose and person."""
        self.ui: subprocess.Popen[bytes] | None = None

    def _shuffled(self, folder: Path) -> list[Path]:
        found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".csv", ".srt"})
        self.chance.shuffle(found)
        return found

    def go_on(self, seconds: float, pause_s: float) -> None:
        """Events for so long, each after a pause of this mean length."""
        self.home.library.mkdir(parents=True)
        doing: dict[str, Callable[[], dict[str, Any] | None]] = {
            "sticker": self._sticker,
            "file": self._file,
            "answers": self._answers,
            "kill": self._kill,
            "broken": self._broken,
            "mended": self._mended,
            "gone": self._gone,
            "changed": self._changed,
            "build": self._build,
            "setting": self._setting,
        }
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._keep_alive()
            (event,) = self.chance.choices(list(EVENTS), list(EVENTS.values()))
            facts = doing[event]()
            if facts is not None:
                self.counts[event] += 1
                say(event, **facts)
            time.sleep(min(self.chance.expovariate(1 / pause_s), 5 * pause_s))

    def _keep_alive(self) -> None:
        """As a service manager does."""
        if self.ui is not None and self.ui.poll() is None:
            return
        if self.ui is not None:
            say("started again", after=self.ui.returncode)
            self._kill_all()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (self.work / "ui.log").open("ab") as log:
            self.ui = subprocess.Popen(
                [sys.executable, "-m", "emovid_assets.cli", "ui", "--live", "--port", str(port)],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.work) and process.pid != os.getpid():
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def _kill(self) -> dict[str, Any] | None:
        kind = self.chance.choice([*KINDS, "everything"])
        if kind == "everything":
            return {"kind": kind, "processes": self._kill_all()}
        killed = 0
        for process in self._processes():
            try:
                if KINDS[kind] in " ".join(process.cmdline()):
                    process.kill()
                    killed += 1
            except psutil.NoSuchProcess:
                continue
        return {"kind": kind, "processes": killed} if killed else None

    def _kill_all(self) -> int:
        # At once, as a power cut does: nobody may see the other go.
        found = self._processes()
        for way in (signal.SIGSTOP, signal.SIGKILL):
            for process in found:
                try:
                    process.send_signal(way)
                except psutil.NoSuchProcess:
                    continue
        psutil.wait_procs(found, timeout=30)
        return len(found)

    def _place(self, domain: str, name: str) -> Path:
        path = self.home.library / domain / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _sticker(self) -> dict[str, Any]:
        from PIL import Image, ImageDraw

        colour = [self.chance.randrange(256) for _ in range(3)]
        frames = []
        for step in range(8):
            picture = Image.new("RGB", (64, 64), (colour[0], colour[1], colour[2]))
            ImageDraw.Draw(picture).ellipse((4 * step, 10, 4 * step + 24, 34), (255 - colour[0], colour[2], colour[1]))
            frames.append(picture)
        path = self._place("sticker", f"{self.chance.choice(('awe', 'fear', 'anger'))}/{self.counts['sticker']}.gif")
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
        return {"path": self.home.relative(path)}

    def _next_file(self) -> tuple[str, Path] | None:
        domains = [domain for domain, waiting in self.waiting.items() if waiting]
        if not domains:
            return None
        domain = self.chance.choice(domains)
        return domain, self.waiting[domain].pop()

    def _file(self) -> dict[str, Any] | None:
        found = self._next_file()
        if found is None:
            return None
        domain, source = found
        path = self._place(domain, source.name)
        content = source.read_bytes()
        # As a copy over a slow network comes: the sensor meets half of it.
        path.write_bytes(content[: len(content) // 2])
        time.sleep(self.chance.uniform(0, 2 * TICK_S))
        path.write_bytes(content)
        return {"path": self.home.relative(path)}

    def _broken(self) -> dict[str, Any] | None:
        found = self._next_file()
        if found is None:
            return None
        domain, source = found
        path = self._place(domain, source.name)
        path.write_bytes(source.read_bytes()[: self.chance.choice((0, 100, 20_000))])
        self.whole_of[path] = source
        return {"path": self.home.relative(path), "bytes": path.stat().st_size}

    def _mended(self) -> dict[str, Any] | None:
        if not self.whole_of:
            return None
        path = self.chance.choice(sorted(self.whole_of))
        shutil.copy(self.whole_of.pop(path), path)
        return {"path": self.home.relative(path)}

    def _media(self) -> list[Path]:
        folders = [self.home.library / domain for domain in DOMAINS]
        return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())

    def _gone(self) -> dict[str, Any] | None:
        media = self._media()
        if len(media) < 4:
            return None
        path = self.chance.choice(media)
        # A domain whose last file goes looks like a disk that is not mounted: nobody but a person decides that.
        if len([one for one in media if one.relative_to(self.home.library).parts[0] in path.parts]) < 2:
            return None
        path.unlink()
        self.whole_of.pop(path, None)
        return {"path": self.home.relative(path)}

    def _changed(self) -> dict[str, Any] | None:
        """A sticker that is replaced by another one under its name."""
        drawn = [path for path in self._media() if path.suffix == ".gif" and path.stem.isdigit()]
        if not drawn:
            return None
        path = self.chance.choice(drawn)
        drawn_now = self.home.root / self._sticker()["path"]
        if drawn_now == path:
            return None
        path.write_bytes(drawn_now.read_bytes())
        drawn_now.unlink()
        return {"path": self.home.relative(path)}

    def _answers(self) -> dict[str, Any] | None:
        """Some people answer some of what is asked, in a file of their own."""
        warehouse = Warehouse(self.home.warehouse)
        tasks = [task for domain in DOMAINS for task in warehouse.read("annotation_tasks", domain).to_pylist()]
        if not tasks:
            return None
        rows = []
        for task in self.chance.sample(tasks, min(len(tasks), 12)):
            person = f"person-{self.chance.randrange(5)}"
            place = (task["clip_id"], task["purpose"], person)
            if place not in self.answered:
                label = self.chance.choice(CHOICES_BY_PURPOSE[task["purpose"]])
                self.answered[place] = label
                rows.append([*place, label])
        path = self.home.annotations / f"answers-{self.counts['answers']}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("clip_id", "purpose", "annotator_id", "label"), *rows])
        return {"path": self.home.relative(path), "answers": len(rows)}

    def _setting(self) -> dict[str, Any]:
        value = self.chance.choice((1, 2, 3))
        (self.home.root / "emovid.toml").write_text(f"[benchmark]\nper_cell = {value}\n", encoding="utf-8")
        return {"benchmark.per_cell": value}

    def _command(self, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "emovid_assets.cli", *arguments],
            env={**self.environment, "EMOVID_HOME": str(home)},
            capture_output=True,
            text=True,
        )

    def _build(self) -> dict[str, Any]:
        began = time.monotonic()
        done = self._command(self.home.root, "build", "-d", self.chance.choice(DOMAINS))
        said = "" if done.returncode == 0 else done.stdout[-500:] + done.stderr[-500:]
        return {"exit": done.returncode, "seconds": round(time.monotonic() - began, 1), "said": said}

    def faults(self, rest_s: float) -> list[str]:
        """What does not hold once nothing comes any more; nothing where all of it does."""
        for path, whole in self.whole_of.items():
            shutil.copy(whole, path)
        self.whole_of.clear()
        found = self._not_at_rest(rest_s)
        found += self._lost_files() + self._lost_answers()
        found += [f"failed and not built since: {one.asset} [{one.domain}]: {one.error}" for one in self._failures()]
        self.end()
        verified = self._command(self.home.root, "verify")
        if verified.returncode:
            found.append(f"emovid verify: {verified.stdout[-1000:]}{verified.stderr[-1000:]}")
        return found + self._other_than_fresh()

    def _failures(self) -> list[Any]:
        return unresolved_failures(self.home)

    def _not_at_rest(self, rest_s: float) -> list[str]:
        import dagster as dg

        began, left = time.monotonic(), ["never looked"]
        while left and time.monotonic() - began < rest_s:
            self._keep_alive()
            time.sleep(2 * TICK_S)
            os.environ["DAGSTER_HOME"] = str(self.home.root / "dagster")
            with opening(self.home.root), dg.DagsterInstance.get() as instance:
                left = [f"{run.run_id[:8]} {run.status.value}" for run in instance.get_runs() if not run.is_finished]
            # A domain without files has nothing to be built from.
            domains = [domain for domain in DOMAINS if (self.home.library / domain).is_dir()]
            states = asset_states(self.home, domains)
            left += [f"{one.asset} [{one.domain}] {one.state}" for one in states if one.state != "up to date"]
        say("at rest" if not left else "not at rest", after_s=round(time.monotonic() - began))
        return left

    def _lost_files(self) -> list[str]:
        warehouse = Warehouse(self.home.warehouse)
        known: set[str] = set()
        for domain in DOMAINS:
            known |= set(warehouse.read("source_videos", domain)["path"].to_pylist())
            known |= set(warehouse.read("processing_errors", domain)["path"].to_pylist())
        there = {self.home.relative(path) for path in self._media()}
        return [f"neither source nor in quarantine: {path}" for path in sorted(there - known)]

    def _lost_answers(self) -> list[str]:
        warehouse = Warehouse(self.home.warehouse)
        tasks, kept = set(), {}
        for domain in DOMAINS:
            tasks |= {
                (row["clip_id"], row["purpose"]) for row in warehouse.read("annotation_tasks", domain).to_pylist()
            }
            for row in warehouse.read("human_annotations", domain).to_pylist():
                kept[row["clip_id"], row["purpose"], row["annotator_id"]] = row["label"]
        due = {place: label for place, label in self.answered.items() if place[:2] in tasks}
        say("answers", given=len(self.answered), due=len(due), kept=len(kept))
        return [f"answer lost: {place} {label}" for place, label in due.items() if kept.get(place) != label]

    def _other_than_fresh(self) -> list[str]:
        """Tables that differ from those of a home that never was disturbed."""
        fresh = Home(self.work / "fresh")
        fresh.root.mkdir()
        fresh.library.symlink_to(self.home.library, target_is_directory=True)
        if (self.home.root / "emovid.toml").exists():
            shutil.copy(self.home.root / "emovid.toml", fresh.root)
        done = self._command(fresh.root, "build")
        if done.returncode:
            return [f"a fresh build fails: {done.stdout[-1000:]}{done.stderr[-1000:]}"]
        differing = []
        for name in ORDERLESS:
            for domain in DOMAINS:
                one, other = (Warehouse(home.warehouse).read(name, domain) for home in (self.home, fresh))
                columns = [column for column in one.column_names if not column.endswith("_at")]
                if one.select(columns).to_pylist() != other.select(columns).to_pylist():
                    differing.append(f"{name} [{domain}] differs from that of a fresh home")
        return differing

    def end(self) -> None:
        self._kill_all()


if __name__ == "__main__":
    sys.exit(main())
