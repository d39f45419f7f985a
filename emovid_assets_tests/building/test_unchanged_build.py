"""A build of a home in which nothing has changed: it runs nothing, logs nothing, and overlooks nothing.

One small home is built once. Each test does something to it, sees that it is noticed, and sets it back.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.building import runner
from emovid_assets.building.looking import is_up_to_date, look
from emovid_assets.building.plan import plan
from emovid_assets.building.runner import open_instance
from emovid_assets.definitions import defs
from emovid_assets.freshness import amounts
from emovid_assets.freshness.amounts import OF_MEDIA, item_counts
from emovid_assets.freshness.dagster_records import records_of
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.needs import noted_failures
from emovid_assets.freshness.sqlite_records import records_in
from emovid_assets.freshness.staleness import Lineage, Place, Records
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import FinishedItem, ItemStore, Payloads, QuarantinedItem
from emovid_assets.resources.library import read_library
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets_tests.assets.homes import ROOT, draw_gif, emovid, rows

pytestmark = pytest.mark.integration

DOMAINS = ["sticker"]
ANSWERS = "library/annotations/answers.csv"
NOT_WHOLE = "its file is gone or not whole"
WITHOUT_DAGSTER = """
import sys
from emovid_assets.cli.app import app
try:
    app()
finally:
    print(sorted({"dagster", "pandas", "duckdb", "sqlalchemy"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Settled: what looks back has looked at what came after it."""
    root = tmp_path_factory.mktemp("unchanged") / "home"
    draw_gif(root / "library" / "sticker" / "awe" / "one.gif")
    (root / "library" / "annotations").mkdir()
    for _ in range(3):
        if not list(runner.build(Home(root), domains=DOMAINS)):
            break
    assert is_up_to_date(Home(root), DOMAINS)
    return Home(root)


def sizes(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def reasons(home: Home) -> dict[str, str]:
    return {
        place.asset: verdict.reasons[0] for place, verdict in look(home, DOMAINS).verdicts.items() if verdict.reasons
    }


def both_ways(home: Home) -> tuple[Records, Records]:
    lineage = Lineage.of(defs.resolve_asset_graph())
    short = records_in(home.root / "dagster", lineage, noted_failures(home))
    with open_instance(home) as instance:
        long = records_of(instance, lineage, noted_failures(home))
    assert short is not None
    return short, long


def run(home: Home, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "EMOVID_HOME": str(home.root), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT_DAGSTER, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_it_says_so_loads_no_dagster_and_lets_no_log_grow(home: Home) -> None:
    before = sizes(home.root / "dagster")
    for arguments, first in (
        (("build", "-d", "sticker"), "everything is up to date"),
        (("plan", "-d", "sticker"), "everything is up to date"),
        (("status", "-d", "sticker"), "asset"),
    ):
        done = run(home, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[0].strip().startswith(first)
        assert lines[-1] == "[]", arguments
    assert run(home, "build", "-d", "sticker").stdout.splitlines()[1].startswith("next: emovid annotate export")
    assert sizes(home.root / "dagster") == before


def test_the_short_way_and_dagsters_own_api_say_the_same(home: Home) -> None:
    short, long = both_ways(home)
    assert short == long
    assert sum(tags is not None for tags in short.made.values()) > 30
    assert Kept(home).lineage == Lineage.of(defs.resolve_asset_graph())


@contextmanager
def new_text(path: Path, text: str) -> Iterator[None]:
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(text, encoding="utf-8")
    yield
    path.unlink() if before is None else path.write_text(before, encoding="utf-8")


@contextmanager
def gone(path: Path) -> Iterator[None]:
    aside = path.rename(path.with_name("aside"))
    yield
    aside.rename(path)


@contextmanager
def emptied(path: Path) -> Iterator[None]:
    # The file has a second name, which is to keep its bytes.
    with gone(path):
        path.touch()
        yield
        path.unlink()


@contextmanager
def other_bytes(path: Path, data: bytes | None) -> Iterator[None]:
    """Its first half where no bytes are given."""
    with gone(path):
        whole = path.with_name("aside").read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if data is None else data)
        yield
        path.unlink()


@contextmanager
def read_but_not_built(home: Home) -> Iterator[None]:
    """What a build leaves that was killed between reading the library and making a table of it."""
    store = ItemStore(home.state)
    new = draw_gif(home.library / "sticker" / "two.gif", (9, 9, 200))
    read_library(home, "sticker", store)
    yield
    new.unlink()
    read_library(home, "sticker", store)
    store.close()


@contextmanager
def failed_in_passing(home: Home) -> Iterator[None]:
    """A clip file that could not be written; the next build tries again."""
    (clip,) = rows(home.root, "clip_media", "sticker")
    with closing(sqlite3.connect(home.state)) as state:
        (kept,) = state.execute("SELECT * FROM items WHERE step = 'clip_file'").fetchall()
    with closing(ItemStore(home.state)) as store:
        bad = QuarantinedItem(clip["clip_id"], kept[3], clip["media_path"], "write_failed", "No space", None, "1")
        store.settle("clip_file", "sticker", (), [bad])
        yield
        store.forget_failures("sticker", ["clip_file"])
    with closing(sqlite3.connect(home.state)) as state:
        state.execute(f"INSERT INTO items VALUES ({', '.join('?' * len(kept))})", kept)
        state.commit()


def table(home: Home, name: str) -> Path:
    return Warehouse(home.warehouse).path(name, "sticker")


@contextmanager
def another_file(home: Home) -> Iterator[None]:
    """What a crash leaves that has undone the record of a build, but not the table that it had written."""
    import pyarrow.parquet as pq

    from emovid_assets.resources.warehouse import stamped

    path = table(home, "segments")
    with gone(path):
        pq.write_table(stamped(pq.read_table(path.with_name("aside"), partitioning=None), "0123456789abcdef"), path)
        yield
        path.unlink()


CHANGES: dict[str, tuple[Callable[[Home], object], str, str]] = {
    "a new file": (
        lambda home: new_text(home.library / "sticker" / "new.gif", "no picture"),
        "source_videos",
        "the library has changed",
    ),
    "a manifest": (
        lambda home: new_text(home.library / "sticker" / "manifest.csv", "path,title\nawe/one.gif,Tea\n"),
        "source_videos",
        "manifests, subtitles or metadata have changed",
    ),
    "an answer": (
        lambda home: new_text(
            home.root / ANSWERS,
            f"clip_id,annotator_id,label\n{rows(home.root, 'clips', 'sticker')[0]['clip_id']},ann,awe\n",
        ),
        "human_annotations",
        "the annotation files have changed",
    ),
    "a setting": (
        lambda home: new_text(home.root / "emovid.toml", "[scenes]\nthreshold = 5.0\n"),
        "scanned_segments",
        "scene_settings has changed",
    ),
    "a killed build": (read_but_not_built, "source_videos", "the library has changed"),
    "a lost clip": (lambda home: gone(home.root / rows(home.root, "clip_media", "sticker")[0]["media_path"]), "", ""),
    "a passing failure": (failed_in_passing, "processing_errors", "the quarantine has changed"),
    "a lost table": (lambda home: gone(table(home, "clips")), "clips", "its file is gone or cannot be read"),
    "an empty table": (lambda home: emptied(table(home, "clips")), "clips", "its file is gone or cannot be read"),
    "a table of another build": (another_file, "segments", "its file is not the one that was recorded"),
    "a lost report": (lambda home: gone(home.report), "dataset_report", NOT_WHOLE),
    "an empty report": (lambda home: emptied(home.report), "dataset_report", NOT_WHOLE),
    "another report": (lambda home: other_bytes(home.report, b"x"), "dataset_report", NOT_WHOLE),
    "half a report": (lambda home: other_bytes(home.report, None), "dataset_report", NOT_WHOLE),
    "no catalogue": (lambda home: gone(home.catalogue), "catalogue", NOT_WHOLE),
    "garbage for a catalogue": (lambda home: other_bytes(home.catalogue, bytes(900_000)), "catalogue", NOT_WHOLE),
    "a page for a catalogue": (lambda home: other_bytes(home.catalogue, b"x"), "catalogue", NOT_WHOLE),
    "half a catalogue": (lambda home: other_bytes(home.catalogue, None), "catalogue", NOT_WHOLE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_overlooks_nothing(home: Home, change: str) -> None:
    do, asset, reason = CHANGES[change]
    with do(home):  # type: ignore[attr-defined]
        assert not is_up_to_date(home, DOMAINS)
        if asset:
            assert reasons(home)[asset] == reason
    assert is_up_to_date(home, DOMAINS), reasons(home)


def test_other_code_takes_the_long_way(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emovid_assets.freshness.kept.package_digest", lambda: "of other code")
    assert not is_up_to_date(home, DOMAINS)
    monkeypatch.undo()
    assert is_up_to_date(home, DOMAINS)


def test_a_dagster_of_another_kind_or_version_takes_the_long_way(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOVID_DAGSTER_HOME", str(home.root / "dagster"))
    assert not is_up_to_date(home, DOMAINS)
    monkeypatch.delenv("EMOVID_DAGSTER_HOME")
    monkeypatch.setattr("emovid_assets.freshness.sqlite_records.SCHEMA", "of another version")
    assert not is_up_to_date(home, DOMAINS)
    monkeypatch.undo()
    with new_text(home.root / "dagster" / "dagster.yaml", "# by hand\n"):
        assert not is_up_to_date(home, DOMAINS)


def test_a_blocking_check_that_does_not_hold_is_noticed(home: Home) -> None:
    failed = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("clips"),
        check_name="durations_in_range",
        passed=False,
        metadata={},
        blocking=True,
        partition="sticker",
    )
    with open_instance(home) as instance:
        instance.report_runless_asset_event(failed)
    assert reasons(home) == {"clips": "it has not passed durations_in_range"}
    short, long = both_ways(home)
    assert short == long
    assert short.stopped_by == {Place("clips", "sticker"): ("durations_in_range",)}
    with closing(sqlite3.connect(home.root / "dagster" / "history" / "runs" / "index.db")) as log:
        log.execute("DELETE FROM asset_check_executions WHERE run_id = ''")
        log.commit()
    assert is_up_to_date(home, DOMAINS)


def test_what_a_killed_build_has_left_undone_is_built_by_the_next(home: Home, tmp_path: Path) -> None:
    root = Path(shutil.copytree(home.root, tmp_path / "home", symlinks=True))
    other = Home(root)
    build = subprocess.Popen(
        [sys.executable, "-m", "emovid_assets.cli", "build", "--all", "-d", "sticker"],
        env={**os.environ, "EMOVID_HOME": str(root), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    index = root / "dagster" / "history" / "runs" / "index.db"
    count = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
    with closing(sqlite3.connect(index)) as log:
        before = log.execute(count).fetchone()
        while log.execute(count).fetchone() == before:
            assert build.poll() is None
            time.sleep(0.02)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()

    short, long = both_ways(other)
    assert short == long
    assert Place("segments", "sticker") in short.unbuilt
    assert not is_up_to_date(other, DOMAINS)
    assert reasons(other)["segments"] == "the run that was to build it has not come to it"
    done = emovid(root, "build", "-d", "sticker")
    assert done.returncode == 0, done.stdout + done.stderr
    assert is_up_to_date(other, DOMAINS)


def test_items_are_counted_by_tables_as_by_payloads(home: Home) -> None:
    tables = {"source_videos", "scanned_segments"}
    with gone(next(home.clips.rglob("*.mp4"))):
        by_payloads = item_counts(home, "sticker", set())
        assert by_payloads["clip_media"].items == 1
        assert item_counts(home, "sticker", set(), tables) == by_payloads
    assert item_counts(home, "sticker", set(), tables)["clip_media"].items == 0


def test_no_payload_is_read_where_tables_say_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("a payload was read")

    monkeypatch.setattr(Payloads, "pairs", read)
    monkeypatch.setattr(Payloads, "__getitem__", read)
    with pytest.raises(AssertionError):
        item_counts(home, "sticker", set())
    assert is_up_to_date(home, DOMAINS)


def test_media_are_counted_again_only_where_something_has_changed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def items_of(look: Home) -> dict[str, int | None]:
        return {planned.asset: planned.items for planned in plan(look, ["sticker"]) if planned.asset in OF_MEDIA}

    nothing = dict.fromkeys(OF_MEDIA, 0)
    assert items_of(home) == nothing
    with monkeypatch.context() as patched:
        patched.setattr(amounts.media, "scan", lambda *_: pytest.fail("counted again"))
        assert items_of(home) == nothing
    with closing(ItemStore(home.state)) as store:
        ((item_id, (key, payload)), *_) = store.finished("probe", "sticker")
        store.settle("probe", "sticker", [FinishedItem(item_id, "another key", payload)])
        try:
            assert items_of(home) == {**nothing, "source_videos": 1}
        finally:
            store.settle("probe", "sticker", [FinishedItem(item_id, key, payload)])
    assert items_of(home) == nothing
