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
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from emovid_assets.building.releasing import NotProvedError, make_release, prepare
from emovid_assets.checks.releases import release_proofs
from emovid_assets.cli.release import release
from emovid_assets.core.release.decisions import DecisionsError
from emovid_assets.home.folders import Home
from emovid_assets.home.run_locks import RunLocks
from emovid_assets.resources.release import making
from emovid_assets.resources.release.content import FaultyRowsError, HiddenPicturesError
from emovid_assets.resources.release.files import DamagedFileError
from emovid_assets.resources.release.making import NothingToReleaseError
from emovid_assets.resources.release.reading import NotAReleaseError
from emovid_assets.resources.release.snapshots import make_snapshot, snapshots_of
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


def test_a_missing_first_frame_is_told_before_anything_is_released(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    path = next(row["first_frame_path"] for row in all_rows(home, "benchmark_split") if row["first_frame_path"])
    (home / path).unlink()
    with pytest.raises(DamagedFileError, match=f"{Path(path).name} cannot be read"):
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


def test_a_release_in_the_way_that_cannot_be_read_keeps_its_version(home: Path) -> None:
    record = home / "releases" / "1.0.0" / "release.json"
    record.rename(home / "release.json")
    (home / "releases" / "1.0.0+metadata").rename(home / "elsewhere")
    with pytest.raises(NotAReleaseError, match="its version was given already") as refused:
        make(home)
    assert "put back what was released" in str(refused.value)
    (home / "release.json").rename(record)
    assert not make(home, has_shards=True).is_new


@pytest.mark.parametrize("path", ["train/metadata.parquet", "tables/human_annotations.parquet"])
def test_no_version_follows_from_data_that_somebody_has_changed(home: Path, path: str) -> None:
    file = home / "releases" / "1.0.0" / path
    rows = pa.parquet.read_table(file)
    for damaged in (rows.slice(1), None):
        file.unlink()
        if damaged is not None:
            pa.parquet.write_table(damaged, file)
        with pytest.raises(NotAReleaseError, match=r"has other bytes than were released|is gone"):
            make(home)


def test_a_number_that_is_none_is_named_and_not_released(home: Path) -> None:
    change(home, "colour_attributes", "movie", "clip_id", {one_clip(home): {"brightness_mean": float("nan")}})
    with pytest.raises(FaultyRowsError, match="brightness_mean: not a finite number"):
        make(home)


def test_rows_that_no_sum_proves_are_not_counted_from(home: Path) -> None:
    (home / "releases" / "1.0.0" / "SHA256SUMS").write_text("")
    with pytest.raises(NotAReleaseError, match="has other bytes than were released"):
        make(home)


def test_of_a_release_without_some_of_its_files_the_next_is_whole(home: Path) -> None:
    before = home / "releases" / "1.0.0"
    for path in ("clips.csv", "load.py", "webdataset/shards.json", "licences.csv"):
        (before / path).unlink()
    decide(home, f"clip_id,{one_clip(home)},full,Ann,written permission")
    made = make(home, has_shards=True)
    assert made.release.version == "1.0.1"
    assert all(proof.holds for proof in release_proofs(made.release.folder))


def test_what_a_killed_one_had_made_of_a_file_that_is_another_by_now_is_made_again(home: Path) -> None:
    clip_id = next(row["clip_id"] for row in all_rows(home, "benchmark_split") if row["first_frame_path"])
    decide(home, f"clip_id,{one_clip(home)},metadata,Ann,our funders want it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "write_csv", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            make(home)
    (frame,) = (row["first_frame_path"] for row in all_rows(home, "benchmark_split") if row["clip_id"] == clip_id)
    other = next(one for one in (home / frame).parent.iterdir() if one.read_bytes() != (home / frame).read_bytes())
    data = other.read_bytes()
    (home / frame).unlink()
    (home / frame).write_bytes(data)
    folder = make(home).release.folder
    assert (folder / "first_frames" / f"{clip_id}.png").read_bytes() == data
    assert all(proof.holds for proof in release_proofs(folder))


def test_both_tiers_of_a_version_have_the_same_tables(home: Path) -> None:
    decide(home, f"clip_id,{one_clip(home)},full,Ann,written permission")
    assert make(home, "metadata").release.folder_name == "1.0.1+metadata"
    row = next(row for row in all_rows(home, "human_annotations") if row["domain"] == "movie")
    seconds = {row["clip_id"]: {"lead_time_s": 12.5}}
    change(home, "human_annotations", "movie", "clip_id", seconds)
    made = make(home)
    assert made.release.folder_name == "2.0.0"
    assert made.release.reasons[0].startswith("table human_annotations: ")


def test_who_withholds_a_clip_is_told_which_releases_hold_it(home: Path) -> None:
    clip_id = one_clip(home)
    assert not any("may no longer" in said for said in prepare(Home(home), "x", "full").remarks)
    decide(home, f"clip_id,{clip_id},metadata,Ann,the artist has asked us to")
    (told,) = prepare(Home(home), "x", "full").remarks
    assert told.startswith("release 1.0.0 holds 1 clip that may no longer be given away by release_decisions.csv")
    assert clip_id in told
    decide(home, f"clip_id,{clip_id},nothing,Ann,the artist has asked us to")
    told = prepare(Home(home), "x", "full").remarks
    assert [said.split(" holds ")[0] for said in told] == ["release 1.0.0", "release 1.0.0+metadata"]


def test_decisions_that_lie_where_nobody_reads_them_stop_a_release(home: Path) -> None:
    stray = home / "release_decisions.csv"
    stray.write_text("what,value,permission,decided_by,reason\n")
    with pytest.raises(DecisionsError, match="is not read: put its rows into"):
        make(home)


def test_a_snapshot_that_a_person_has_given_the_name_of_the_version_is_told(home: Path) -> None:
    make_snapshot(Home(home), "1.0.1")
    decide(home, f"clip_id,{one_clip(home)},full,Ann,written permission")
    prepared = prepare(Home(home), "of-the-test", "full", has_shards=True)
    assert make_release(Home(home), prepared).release.version == "1.0.1"
    (told,) = prepared.remarks
    assert "the snapshot 1.0.1 is older than this release" in told


def test_tables_that_are_replaced_while_a_release_is_made_are_not_its_snapshot(home: Path) -> None:
    decide(home, f"clip_id,{one_clip(home)},full,Ann,written permission")
    prepared = prepare(Home(home), "of-the-test", "full", has_shards=True)
    change(home, "captions", "movie", "clip_id", {one_clip(home): {"caption": "It rains."}})
    assert make_release(Home(home), prepared).is_new
    (told,) = prepared.remarks
    assert told.startswith("there is no snapshot of the tables under 1.0.1: a build has replaced tables meanwhile")


def test_who_was_killed_before_the_snapshot_gets_it_the_next_time(home: Path) -> None:
    snapshots = home / "snapshots"
    (snapshots / "1.0.0").rename(snapshots / ".1.0.0.0123456789abcdef.tmp")
    assert not make(home, has_shards=True).is_new
    assert sorted(path.name for path in snapshots.iterdir()) == [".lock", "1.0.0"]
    assert snapshots_of(Home(home)).snapshots[0].name == "1.0.0"


def told_by(*arguments: str) -> tuple[int, str]:
    """Of the command `emovid release`."""
    done = CliRunner().invoke(release, list(arguments))
    return done.exit_code, " ".join(done.output.split())


def test_shards_of_a_release_without_media_are_none_and_no_other_release(home: Path) -> None:
    assert not make(home, "metadata", has_shards=True).is_new


def test_while_a_build_is_at_work_nothing_is_made_or_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOVID_HOME", str(home))
    with RunLocks(Home(home).runs_at_work).held("run-1", "build_dataset", {"clips": 1}, print):
        for arguments in (["gate"], ["make", "of-the-test"]):
            code, said = told_by(*arguments)
            assert code == 1
            assert "is at work, and the tables would not fit each other" in said


def test_what_is_withheld_since_is_not_pushed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOVID_HOME", str(home))
    decide(home, f"clip_id,{one_clip(home)},nothing,Ann,the artist has asked us to")
    for named in ("1.0.0", "1.0.0+metadata", str(home / "releases" / "1.0.0")):
        code, said = told_by("push", named, (tmp_path / "store").as_uri())
        assert code == 1
        assert "holds 1 clip that may no longer be given away by release_decisions.csv" in said
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", ["jane@example.org", "\udcff", "x" * 1000])
def test_a_name_that_cannot_be_is_said_before_anything_is_done(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("EMOVID_HOME", str(home))
    code, said = told_by("make", name)
    assert (code, said.partition(" ")[0]) == (1, "error")
    assert len(said) < 300
