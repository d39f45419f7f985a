"""A release is the dataset as it is: every labelled clip, its media where that is allowed, whole or not there."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from emovid_assets.building.releasing import NotProvedError
from emovid_assets.core.release.decisions import DecisionsError
from emovid_assets.resources.release.content import HiddenPicturesError
from emovid_assets.resources.release.files import DamagedFileError
from emovid_assets.resources.release.making import NothingToReleaseError
from emovid_assets_tests.assets.homes import ROOT, Demo, all_rows, copy_of
from emovid_assets_tests.once import made_once
from emovid_assets_tests.release.made import change, decide, make, read

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def first(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the release 1.0.0, with shards, and the same without media. It is only read."""

    def build(folder: Path) -> None:
        home = copy_of(demo.home, folder)
        make(home, has_shards=True)
        make(home, "metadata")

    return made_once(tmp_path_factory, "released-demo", build)


@pytest.fixture
def home(first: Path, tmp_path: Path) -> Path:
    """A copy that a test may change, whose files have as many names as those of the first."""
    subprocess.run(["cp", "-a", str(first), str(tmp_path / "home")], check=True)
    return tmp_path / "home"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def one_clip(home: Path, split: str = "train", domain: str = "movie") -> str:
    return next(
        row["clip_id"] for row in all_rows(home, "benchmark_split") if (row["split"], row["domain"]) == (split, domain)
    )


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_clip_with_a_final_label_is_a_row_with_the_values_of_the_tables(first: Path) -> None:
    rows = {row["clip_id"]: row for row in read(first / "releases" / "1.0.0").to_pylist()}
    labels = {row["clip_id"]: row for row in all_rows(first, "emotion_labels")}
    splits = {row["clip_id"]: row["split"] for row in all_rows(first, "benchmark_split")}
    sources = {row["source_id"]: row for row in all_rows(first, "source_videos")}
    assert rows.keys() == labels.keys() == splits.keys()
    for clip_id, row in rows.items():
        assert (row["emotion"], row["label_confidence"]) == (labels[clip_id]["emotion"], labels[clip_id]["confidence"])
        assert row["split"] == splits[clip_id]
        assert row["source_sha256"] == sources[row["source_id"]]["sha256"]
    for table, column, released in (("captions", "caption", "caption"), ("vlm_labels", "p_fear", "vlm_p_fear")):
        for row in all_rows(first, table):
            if row["clip_id"] in rows:
                assert rows[row["clip_id"]][released] == row[column]


def test_media_are_the_files_of_the_home_and_take_no_space(first: Path) -> None:
    folder = first / "releases" / "1.0.0"
    paths = {row["clip_id"]: row["media_path"] for row in all_rows(first, "clip_media")}
    rows = read(folder).to_pylist()
    assert rows
    for row in rows:
        file = folder / row["split"] / row["file_name"]
        assert sha256(file) == row["media_sha256"]
        assert os.path.samefile(file, first / paths[row["clip_id"]])


def test_a_row_is_in_the_file_of_its_split(first: Path) -> None:
    for path in (first / "releases" / "1.0.0").glob("*/metadata.parquet"):
        with duckdb.connect() as connection:
            assert connection.execute("select distinct split from read_parquet(?)", [str(path)]).fetchall() == [
                (path.parent.name,)
            ]


def test_the_table_for_people_says_the_same_in_text(first: Path) -> None:
    folder = first / "releases" / "1.0.0"
    rows = {row["clip_id"]: row for row in read(folder).to_pylist()}
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert len(told) == len(rows)
    for line in told:
        row = rows[line["clip_id"]]
        assert list(line) == list(row)
        for name, value in row.items():
            if value is None:
                assert line[name] == ""
            elif isinstance(value, bool):
                assert line[name] == str(value).lower()
            elif isinstance(value, float):
                assert float(line[name]) == value
            elif isinstance(value, list):
                assert json.loads(line[name]) == value
            else:
                assert line[name] == str(value)


def test_the_sums_are_what_sha256sum_checks(first: Path) -> None:
    for name in ("1.0.0", "1.0.0+metadata"):
        folder = first / "releases" / name
        done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
        assert done.returncode == 0
        listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
        assert listed == names(folder) - {"SHA256SUMS"}


def test_without_media_it_is_the_same_version_of_the_same_data(first: Path) -> None:
    full, metadata = (
        json.loads((first / "releases" / name / "release.json").read_text()) for name in ("1.0.0", "1.0.0+metadata")
    )
    assert (full["version"], full["digest"]) == (metadata["version"], metadata["digest"])
    assert (full["media_count"], metadata["media_count"]) == (full["clip_count"], 0)
    assert not [
        path for path in names(first / "releases" / "1.0.0+metadata") if path.endswith((".mp4", ".webm", ".png"))
    ]
    assert set(read(first / "releases" / "1.0.0+metadata")["file_name"].to_pylist()) == {None}


def test_the_digest_can_be_computed_from_the_table_for_people_alone(first: Path) -> None:
    """As docs/release.md says: a line of JSON a row, sorted keys, no blanks, without what is given away."""
    folder = first / "releases" / "1.0.0"
    without = {"file_name", "first_frame_path", "permission", "permission_code", "permission_reason", "license_id"}
    digest = hashlib.sha256()
    for row in sorted(read(folder).to_pylist(), key=lambda row: row["clip_id"]):
        kept = {name: value for name, value in row.items() if name not in without}
        digest.update((json.dumps(kept, sort_keys=True, separators=(",", ":")) + "\n").encode())
    assert json.loads((folder / "release.json").read_text())["digest"] == digest.hexdigest()


def test_people_have_pseudonyms_which_are_the_same_in_all_tables(home: Path) -> None:
    for domain in ("movie", "animation", "sticker"):
        rows = [row for row in all_rows(home, "human_annotations") if row["domain"] == domain]
        some = {row["annotator_id"]: {"annotator_id": f"Ann Smith {row['annotator_id'][-1]}"} for row in rows}
        change(home, "human_annotations", domain, "annotator_id", some)
    folder = make(home).release.folder
    told = Counter(pq_column(folder / "tables" / "human_annotations.parquet", "annotator_id"))
    released = set(read(folder)["clip_id"].to_pylist())
    answers = [row for row in all_rows(home, "human_annotations") if row["clip_id"] in released]
    assert sorted(told.values()) == sorted(Counter(row["annotator_id"] for row in answers).values())
    assert all(name.startswith("annotator-") and len(name) == len("annotator-") + 12 for name in told)
    assert b"Smith" not in b"".join((folder / path).read_bytes() for path in names(folder) if not path.endswith(".mp4"))


def pq_column(path: Path, column: str) -> list[str]:
    with duckdb.connect() as connection:
        return [
            value for (value,) in connection.execute(f"select {column} from read_parquet(?)", [str(path)]).fetchall()
        ]


def test_where_nothing_has_changed_there_is_no_new_release(home: Path) -> None:
    before = names(home / "releases")
    for tier in ("full", "metadata"):
        made = make(home, tier, has_shards=tier == "full")  # type: ignore[arg-type]
        assert (made.is_new, made.release.version) == (False, "1.0.0")
    assert names(home / "releases") == before


def test_another_label_is_another_major_version_which_shares_what_is_the_same(home: Path) -> None:
    clip_id = one_clip(home)
    old = next(row for row in all_rows(home, "emotion_labels") if row["clip_id"] == clip_id)
    new = "awe" if old["emotion"] != "awe" else "excitement"
    change(home, "emotion_labels", "movie", "clip_id", {clip_id: {"emotion": new, "polarity": "positive"}})
    made = make(home, has_shards=True)
    assert (made.release.version, made.release.bump, made.release.previous) == ("2.0.0", "major", "1.0.0")
    assert "emotion: 1 clip of another value" in made.release.reasons
    before, after = home / "releases" / "1.0.0", home / "releases" / "2.0.0"
    assert names(before) == names(after)
    others = {path for path in names(after) if not os.path.samefile(before / path, after / path)}
    written = {path for path in others if not path.startswith(("train/movie", "train/animation", "train/sticker"))}
    assert written == {
        *("README.md", "SHA256SUMS", "clips.csv", "croissant.json", "release.json", "train/metadata.parquet"),
        *("fiftyone/metadata.json", "fiftyone/samples.json", "label_studio/tasks.json"),
        *("webdataset/shards.json", "webdataset/train-000000.tar"),
    }
    assert others == written
    assert made.effort.written_count == len(others - {"SHA256SUMS", "webdataset/shards.json"})


def test_another_option_is_the_same_data_written_otherwise(home: Path) -> None:
    made = make(home, has_shards=False)
    assert (made.release.version, made.release.bump) == ("1.0.1", "patch")
    assert made.release.reasons == ("the same data are written otherwise",)
    assert not (made.release.folder / "webdataset").exists()


def test_what_a_person_withholds_is_in_no_file(home: Path) -> None:
    clip_id = one_clip(home, domain="sticker")
    source_id = next(row["source_id"] for row in all_rows(home, "clips") if row["clip_id"] == clip_id)
    decide(home, f"source_id,{source_id},nothing,Jane Doe,the artist has asked us to")
    made = make(home, has_shards=True)
    assert (made.release.version, made.release.bump, made.release.left_out_count) == ("2.0.0", "major", 1)
    folder = made.release.folder
    # Both say who has decided what, and why.
    for path in names(folder) - {"decisions.csv", "README.md"}:
        assert source_id not in path
        assert source_id.encode() not in (folder / path).read_bytes(), path
    assert source_id in (folder / "decisions.csv").read_text()
    assert "the artist has asked us to" in (folder / "README.md").read_text()


def test_what_a_person_gives_as_metadata_only_has_a_row_and_no_file(home: Path) -> None:
    clip_id = one_clip(home)
    decide(home, f"clip_id,{clip_id},metadata,Jane Doe,a song is heard")
    made = make(home)
    (row,) = [row for row in read(made.release.folder).to_pylist() if row["clip_id"] == clip_id]
    assert (row["file_name"], row["permission"], row["permission_code"]) == (None, "metadata", "decided")
    assert "a song is heard" in row["permission_reason"]
    assert not [path for path in names(made.release.folder) if clip_id in path]
    assert made.release.metadata_only_count == 1


def test_decisions_that_cannot_be_followed_stop_a_release(home: Path) -> None:
    decide(home, "source_id,x,nothing,,", "planet,mars,full,Jane Doe,because")
    with pytest.raises(DecisionsError) as refused:
        make(home)
    assert [fault.split(": ")[1] for fault in refused.value.faults] == ["line 2", "line 2", "line 3"]
    assert {path.name for path in (home / "releases").iterdir()} == {".lock", "1.0.0", "1.0.0+metadata"}


def test_without_a_label_there_is_nothing_to_release(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    decide(home, "license,CC0-1.0,nothing,Jane Doe,not yet")
    with pytest.raises(NothingToReleaseError, match="Jane Doe decided so"):
        make(home)
    assert not list((home / "releases").glob("*.*.*"))


def test_an_address_in_what_people_write_of_a_film_is_not_released(home: Path) -> None:
    (row, *_) = [row for row in all_rows(home, "source_videos") if row["domain"] == "movie"]
    columns = ("title", "film_id", "region", "character", "origin", "origin_url", "external_id", "terms_url")
    written = dict.fromkeys(columns, "Rain, by ann\u200b@example.org")
    change(home, "source_videos", "movie", "source_id", {row["source_id"]: written})
    folder = make(home).release.folder
    clips = [one for one in read(folder).to_pylist() if one["source_id"] == row["source_id"]]
    assert {clip[name] for clip in clips for name in columns} == {"Rain, by [address]"}


def test_what_nobody_cleans_is_found_before_anything_is_released(home: Path) -> None:
    clip_id = one_clip(home)
    change(home, "captions", "movie", "clip_id", {clip_id: {"model_id": "/home/ann/models/mine"}})
    with pytest.raises(NotProvedError, match="row 15: path") as refused:
        make(home)
    assert "caption_model_id" in str(refused.value)
    assert {path.name for path in (home / "releases").glob("[!.]*")} == {"1.0.0", "1.0.0+metadata"}


def test_a_damaged_clip_file_is_found_before_anything_is_released(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    path = home / all_rows(home, "clip_media")[0]["media_path"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match=f"{path.name}: other bytes than its row"):
        make(home)
    assert not list((home / "releases").glob("[!.]*"))


def test_files_that_hide_pictures_are_not_released(home: Path) -> None:
    clip_id = one_clip(home)
    change(home, "clip_media", "movie", "clip_id", {clip_id: {"hidden_frame_count": 3}})
    with pytest.raises(HiddenPicturesError, match=clip_id):
        make(home)
    assert make(home, "metadata").release.version == "2.0.0"


def test_a_snapshot_of_the_tables_is_kept_under_the_version(first: Path) -> None:
    kept = first / "snapshots" / "1.0.0" / "warehouse" / "emotion_labels" / "domain=movie" / "part-0.parquet"
    assert (
        kept.read_bytes() == (first / "warehouse" / "emotion_labels" / "domain=movie" / "part-0.parquet").read_bytes()
    )
    assert kept.stat().st_nlink > 1


MAKE = """\
import sys
from pathlib import Path
from emovid_assets_tests.release.made import make
print("ready", flush=True)
make(Path(sys.argv[1]), has_shards=True)
"""


@pytest.mark.parametrize("after_s", [0.3, 0.9, 1.1, 1.3, 1.6])
def test_killed_at_any_moment_it_goes_on(demo: Demo, tmp_path: Path, after_s: float) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE, str(home)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = [path.name for path in (home / "releases").glob("[!.]*")]
    assert there in ([], ["1.0.0"])
    made = make(home, has_shards=True)
    assert made.is_new is not bool(there)
    assert [path.name for path in (home / "releases").glob("*") if path.name != ".lock"] == ["1.0.0"]
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made.release.folder, check=False)
    assert done.returncode == 0
