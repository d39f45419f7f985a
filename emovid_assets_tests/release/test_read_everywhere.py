"""Every library that a release is for gives every row of it and the same bytes of media, with no network.

The libraries run in `.venv-readers` (`make readers`); what they should give is read off the tables by Arrow.
"""

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.loader_readers import with_libraries
from benchmarks.loaders import HAS_READERS, READERS_PYTHON
from emovid_assets.core.emotions import EMOTIONS
from emovid_assets.core.release.snippets import READERS
from emovid_assets.resources.release import loading
from emovid_assets_tests.assets.homes import Demo, all_rows, copy_of
from emovid_assets_tests.once import made_once
from emovid_assets_tests.release import read_everywhere, released
from emovid_assets_tests.release.made import decide
from emovid_assets_tests.release.made import make as make_release
from emovid_assets_tests.release.read_everywhere import digest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not HAS_READERS, reason="no .venv-readers: make readers"),
]
TIERS = {"1.0.0": True, "1.0.0+metadata": False, "made": True}
"""Names of the folders of releases, and whether they hold media. The last one is made as `emovid release make` makes
it, the others hold what is hardest to read."""
FULL, METADATA, MADE = TIERS
TOGETHER = (
    ("datasets_map", "datasets_streaming", "datasets_decoded"),
    ("croissant", "croissant_sets", "webdataset", "duckdb", "polars", "pandas", "own", "csv"),
)
OF_MEDIA = ("datasets_decoded", "webdataset")
IN_READERS = [reader.name for reader in READERS if reader.name != "fiftyone"]


@cache
def read_rows(folder: Path) -> pa.Table:
    return pa.concat_tables([pa.parquet.read_table(path) for path in sorted(folder.glob("*/metadata.parquet"))])


@pytest.fixture(scope="module")
def releases(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        for tier in (FULL, METADATA):
            released.make(demo.home, folder / tier, has_media=TIERS[tier])
        home = copy_of(demo.home, folder / "home")
        splits = all_rows(home, "benchmark_split")
        some = [row["clip_id"] for number, row in enumerate(splits) if row["split"] == "unused" or number % 5 == 0]
        decide(home, *(f"clip_id,{clip_id},metadata,Jane Doe,not cleared yet" for clip_id in some))
        make_release(home, has_shards=True).release.folder.rename(folder / MADE)

    return made_once(tmp_path_factory, "my releases", make)


NO_NETWORK = """\
import socket

def within_this_machine(method):
    def connect(self, address):
        if self.family != socket.AF_UNIX:
            raise OSError("a socket was connected")
        return method(self, address)
    return connect

socket.socket.connect = within_this_machine(socket.socket.connect)
socket.socket.connect_ex = within_this_machine(socket.socket.connect_ex)
"""
"""What every Python of the environment below runs first."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("no-network")
    (folder / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    libraries = with_libraries(READERS_PYTHON, tmp_path_factory.mktemp("libraries"))
    return {**libraries, "PYTHONPATH": str(folder)}


def test_no_socket_can_be_connected(environment: dict[str, str]) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1')"
    done = subprocess.run(
        [str(READERS_PYTHON), "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert "a socket was connected" in done.stderr


Read = Callable[[str, Path], dict[str, list[str | None]]]


@pytest.fixture(scope="module")
def read_with(releases: Path, environment: dict[str, str]) -> Read:
    """What a reader has seen of a release. Readers of one library share a process, as loading it takes seconds."""

    @cache
    def outputs(names: tuple[str, ...]) -> dict[str, Any]:
        asked = [f"{releases / tier}:{name}" for tier in TIERS for name in names if name not in OF_MEDIA or TIERS[tier]]
        command = [str(READERS_PYTHON), read_everywhere.__file__, *asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        found = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
        assert set(found) == set(asked)
        return found

    def read(name: str, folder: Path) -> dict[str, list[str | None]]:
        group = next(names for names in TOGETHER if name in names)
        seen: dict[str, list[str | None]] = outputs(group)[f"{folder}:{name}"]
        return seen

    return read


def expected(folder: Path, *, without: tuple[str, ...] = (), with_media_only: bool = False) -> dict[str, Any]:
    return {
        row["clip_id"]: [
            digest({name: value for name, value in row.items() if name not in without}),
            row["media_sha256"] if row["file_name"] else None,
        ]
        for row in read_rows(folder).to_pylist()
        if row["file_name"] or not with_media_only
    }


def test_the_release_has_what_is_hard_to_read(releases: Path) -> None:
    """Or the tests below would prove little."""
    splits = {split.name: split for split in released.splits_in(read_rows(releases / FULL))}
    assert {"train", "benchmark"} <= set(splits)
    assert [name for name, split in splits.items() if not split.files] == ["unused"]
    assert list(splits["benchmark"].files) == [".webm"]
    assert list(splits["train"].files) == [".mp4", ".webm"]
    rows = read_rows(releases / FULL).to_pylist()
    assert {row["file_name"] is None for row in rows if row["split"] == "benchmark"} == {True, False}
    empty = [name for name in rows[0] if all(row[name] is None for row in rows)]
    assert {"character", "external_id"} & set(empty)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", ["croissant", "duckdb", "polars", "pandas", "own"])
def test_every_row_is_read_with_the_bytes_of_its_medium(name: str, tier: str, releases: Path, read_with: Read) -> None:
    assert read_with(name, releases / tier) == expected(releases / tier)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", ["datasets_map", "datasets_streaming"])
def test_datasets_gives_every_row_with_the_video_for_its_name(
    name: str, tier: str, releases: Path, read_with: Read
) -> None:
    assert read_with(name, releases / tier) == expected(releases / tier, without=("file_name",))


def test_datasets_decodes_as_many_frames_as_the_row_says(releases: Path, read_with: Read) -> None:
    frames = {row["clip_id"]: row["frame_count"] for row in read_rows(releases / FULL).to_pylist()}
    seen = read_with("datasets_decoded", releases / FULL)
    assert seen
    assert seen == {clip: [digest({"clip_id": clip, "frame_count": frames[clip]}), None] for clip in seen}


@pytest.mark.parametrize("tier", [FULL, MADE])
def test_webdataset_gives_every_clip_that_has_a_medium(tier: str, releases: Path, read_with: Read) -> None:
    seen = read_with("webdataset", releases / tier)
    assert seen == expected(releases / tier, with_media_only=True)
    assert not (releases / METADATA / "webdataset").exists()


@pytest.mark.parametrize("tier", TIERS)
def test_all_other_record_sets_of_croissant_are_read(tier: str, releases: Path, read_with: Read) -> None:
    folder = releases / tier
    answers = pa.parquet.read_table(folder / "tables" / "human_annotations.parquet").to_pylist()
    like = {"train": "cr:TrainingSplit", "benchmark": "cr:TestSplit"}
    sets: dict[str, list[dict[str, Any]]] = {
        "human_annotations": answers,
        "splits": [
            {"name": split.name, "url": like.get(split.name, ""), "clip_count": split.clip_count}
            for split in released.splits_in(read_rows(folder))
        ],
        "emotions": [
            {name: getattr(emotion, name) for name in ("name", "polarity", "valence", "arousal", "definition")}
            for emotion in EMOTIONS
        ],
    }
    assert read_with("croissant_sets", folder) == {
        f"{name} {number}": [digest({"clip_id": f"{name} {number}", "record": row}), None]
        for name, rows in sets.items()
        for number, row in enumerate(rows)
    }


def test_the_csv_is_read_by_others(releases: Path, read_with: Read) -> None:
    rows = read_rows(releases / FULL).to_pylist()
    assert read_with("csv", releases / FULL) == {
        row["clip_id"]: [
            digest({name: row[name] for name in ("clip_id", "start_s", "caption")}),
            row["media_sha256"] if row["file_name"] else None,
        ]
        for row in rows
    }


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", IN_READERS)
def test_the_lines_that_people_copy_read_all_of_it(
    name: str, tier: str, releases: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, folder = next(reader for reader in READERS if reader.name == name), releases / tier
    for variable in ("LD_LIBRARY_PATH", "PYTHONPATH"):
        monkeypatch.setenv(variable, environment[variable])
    splits = loading.splits_in(folder)
    if tier == METADATA and reader.needs_media:
        assert loading.why_not(reader, folder, splits) == "this release holds no media"
        return
    assert loading.why_not(reader, folder, splits) is None
    assert loading.missing(reader, READERS_PYTHON) == []
    loaded = loading.load(reader, folder, splits, READERS_PYTHON)
    assert loading.differences(loaded, reader, splits) == []
    assert loaded.first
