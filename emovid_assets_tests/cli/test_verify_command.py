"""`emovid verify` finds every planted damage, says what to do, and what it forgets is made again by the next build."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emovid_assets.checks.proofs import NothingBuiltError, Proof, proofs
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.video.picture import png
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.snapshots import make_snapshot
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets_tests.assets.homes import build, copy_of, draw_gif, errors_of, report_of, rows
from emovid_assets_tests.cli.conftest import Call
from emovid_assets_tests.media.making import beeps, scenery, write_video
from emovid_assets_tests.media.scanning import clip_of
from emovid_assets_tests.planted_tables import as_written, plant, valid_row

pytestmark = pytest.mark.integration

SELECTION = "+key:processing_errors or +key:colour_attributes or +key:clip_features"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("verified") / "home"
    for number in range(3):
        draw_gif(home / "library" / "sticker" / "awe" / f"{number}.gif", (40 * number, 80, 200))
    (home / "library" / "sticker" / "bad.gif").write_text("no picture", encoding="utf-8")
    reports = build(home, domains=["sticker"], selection=SELECTION)
    assert errors_of(reports) == []
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    return copy_of(built, tmp_path / "home")


def made(home: Path, *, repair: bool = False) -> dict[str, Proof]:
    return {proof.name: proof for proof in proofs(Home(home), repair=repair)}


def faults(home: Path, *, repair: bool = False) -> dict[str, list[str]]:
    return {name: proof.faults for name, proof in made(home, repair=repair).items() if proof.faults}


def flip(path: Path) -> None:
    """One byte in the middle, with the times as they were."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def rebuilt(home: Path) -> dict[str, int | None]:
    reports = build(home, domains=["sticker"], selection=SELECTION)
    assert errors_of(reports) == []
    return {
        name: report_of(reports, name, "sticker").computed
        for name in ("source_videos", "scanned_segments", "clip_media")
    }


def test_snapshots_are_proved_and_are_neither_tables_nor_rubbish(home: Path) -> None:
    kept = make_snapshot(Home(home), "before")
    left = home / "snapshots" / ".after.0123456789abcdef.tmp"
    left.mkdir()
    os.utime(left, (0, 0))
    before = sorted(kept.folder.rglob("*"))
    found = made(home, repair=True)
    assert (found["snapshots"].checked, found["snapshots"].faults, found["tables"].faults) == (len(kept.parts), [], [])
    assert (found["leftovers"].checked, left.exists()) == (1, False)
    assert sorted(kept.folder.rglob("*")) == before
    # A file of its own, as on a disk without hard links.
    path = kept.folder / kept.parts[0].path
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    flip(path)
    (home / "snapshots" / "torn").mkdir()
    assert faults(home) == {
        "snapshots": [
            f"{home}/snapshots/torn is no snapshot: it has no snapshot.json; "
            "remove it with: emovid snapshot remove torn",
            f"snapshots/before/{kept.parts[0].path}: other bytes than were kept; emovid snapshot remove before",
        ]
    }


def test_a_sound_home_holds_and_is_not_changed(home: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in (home / "warehouse").rglob("*.parquet"))
    found = made(home, repair=True)
    assert {name for name, proof in found.items() if not proof.holds} == set()
    assert {name: found[name].checked for name in ("library", "clip files", "pictures", "leftovers")} == {
        "library": 4,
        "clip files": 3,
        "pictures": 3,
        "leftovers": 0,
    }
    assert found["nothing lost"].note == "1 in quarantine"
    assert sorted((path, path.stat().st_mtime_ns) for path in (home / "warehouse").rglob("*.parquet")) == before
    assert rebuilt(home) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 0}


def test_a_flipped_byte_in_a_clip_file_is_found_and_the_clip_is_written_again(home: Path, built: Path) -> None:
    path = rows(home, "clip_media", "sticker")[1]["media_path"]
    flip(home / path)
    assert faults(home) == {"clip files": [f"{path}: other bytes than written"]}
    assert rebuilt(home)["clip_media"] == 0, "a build trusts what it has written"
    assert faults(home, repair=True) == {"clip files": [f"{path}: other bytes than written"]}
    assert rebuilt(home) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 1}
    assert faults(home) == {}
    assert (home / path).read_bytes() == (built / path).read_bytes()


def plant_file(home: Path, made: Path) -> dict[str, Any]:
    """Another file in place of the first clip's, with its right hash in `clip_media`. The row that was there."""
    table = home / "warehouse/clip_media/domain=sticker/part-0.parquet"
    first, *others = pq.ParquetFile(table).read().to_pylist()
    shutil.copy(made, home / first["media_path"])
    other = {"sha256": file_sha256(made), "size_bytes": made.stat().st_size}
    put(as_written("clip_media", [first | other, *others]), table)
    return first


def test_a_clip_file_of_other_length_than_its_clip_is_named_although_its_hash_is_right(home: Path) -> None:
    other = draw_gif(home.parent / "other.gif", (1, 2, 3), frame_count=4, delay_ms=90)
    clip_of(other, home.parent / "other.mp4", whole=True)
    row = plant_file(home, home.parent / "other.mp4")
    assert faults(home) == {
        "clip files": [
            f"{row['media_path']}: clip_media says 0.500 s, the file lasts 0.360 s; "
            "clips says 0.500 s, the file lasts 0.360 s; clips says 5 frames, the file shows 4; "
            "it has to be written again"
        ]
    }
    faults(home, repair=True)
    assert rebuilt(home)["clip_media"] == 1
    assert faults(home) == {}


def test_what_is_no_film_has_other_pictures_or_has_sound_is_named_although_its_hash_is_right(home: Path) -> None:
    made = home.parent / "made.mp4"
    made.write_text("no film", encoding="utf-8")
    path = plant_file(home, made)["media_path"]
    (said,) = faults(home)["clip files"]
    assert said.startswith(f"{path}: cannot be opened as a clip (")
    assert said.endswith("; it has to be written again")
    frames = [scenery(0, index) for index in range(5)]
    write_video(
        made,
        frames,
        fps=10,
        codec="libx264",
        pix_fmt="yuv420p",
        options={"bf": "0"},
        sound=beeps(0.5, 0.1),
        sound_codec="aac",
    )
    plant_file(home, made)
    assert faults(home)["clip files"] == [
        f"{path}: clip_media says audio_codec none, the file has aac; clip_media says colour_matrix bt709, the file "
        "has bt601; clip_media says is_colour_tagged True, the file has False; clips says 48×32 px, the file has 64×48"
        "; clips says has_audio False, the file has aac; it has to be written again"
    ]


def test_a_first_frame_of_another_size_than_its_clip_is_named(home: Path) -> None:
    shutil.rmtree(home / "warehouse/benchmark_split", ignore_errors=True)
    first, second, _ = [row["clip_id"] for row in rows(home, "clips", "sticker")]
    paths = [f"media/first_frames/sticker/{clip_id}.png" for clip_id in (first, second)]
    png(np.zeros((32, 48, 3), np.uint8), home / paths[0])
    png(np.zeros((48, 32, 3), np.uint8), home / paths[1])
    split = [
        valid_row(
            *("benchmark_split", number, "sticker"),
            clip_id=clip_id,
            split="benchmark",
            group_id=clip_id,
            first_frame_path=paths[number],
        )
        for number, clip_id in enumerate((first, second))
    ]
    plant(home, "benchmark_split", split, "sticker")
    assert faults(home) == {"pictures": [f"{paths[1]}: clips says 48×32 px, the file has 32×48"]}


def test_a_source_that_changed_behind_its_size_and_time_is_found_and_computed_again(home: Path) -> None:
    path = home / "library/sticker/awe/1.gif"
    status, other = path.stat(), draw_gif(home.parent / "other.gif", (41, 81, 201))
    path.write_bytes(other.read_bytes().ljust(status.st_size, b"\0")[: status.st_size])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    said = ["library/sticker/awe/1.gif: other bytes than were read, though size and time are the same"]
    assert faults(home, repair=True) == {"library": said}
    assert rebuilt(home)["source_videos"] == 1
    assert faults(home) == {}


def test_lost_and_torn_pictures_are_found_and_made_again(home: Path) -> None:
    lost, torn, _ = sorted(row["thumbnail_path"] for row in rows(home, "clips", "sticker"))
    (home / lost).unlink()
    (home / torn).write_bytes((home / torn).read_bytes()[:-20])
    assert faults(home, repair=True) == {"pictures": [f"{name}: missing or not whole" for name in (lost, torn)]}
    assert rebuilt(home)["scanned_segments"] == 2
    assert faults(home) == {}


def test_a_truncated_parquet_file_is_named_and_the_next_build_replaces_it(home: Path) -> None:
    path = home / "warehouse/colour_attributes/domain=sticker/part-0.parquet"
    before = content_hash(Warehouse(home / "warehouse").read("colour_attributes", "sticker"))
    path.write_bytes(path.read_bytes()[:-100])
    found = faults(home)
    (said,) = found["tables"]
    assert said.startswith("warehouse/colour_attributes/domain=sticker/part-0.parquet: cannot be read")
    rebuilt(home)
    assert faults(home) == {}
    assert content_hash(Warehouse(home / "warehouse").read("colour_attributes", "sticker")) == before


def put(table: pa.Table, path: Path) -> None:
    """As another program does it: beside the version that `Warehouse` wrote, which stays as it is."""
    path.unlink()
    pq.write_table(table, path)


def test_a_table_whose_bytes_have_changed_is_named_although_it_can_be_read(home: Path) -> None:
    path = home / "warehouse/clip_features/domain=sticker/part-0.parquet"
    version = Warehouse(home / "warehouse").version("clip_features", "sticker")
    assert version is not None
    status = path.stat()
    for file in {path, version}:
        file.write_bytes(file.read_bytes().replace(b"parquet-cpp-arrow", b"parquet-cpp-arroW"))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    place = "warehouse/clip_features/domain=sticker/part-0.parquet"
    assert faults(home) == {"tables": [f"{place}: other bytes than were written; build it again"]}
    rebuilt(home)
    assert faults(home) == {}


@pytest.mark.parametrize("table", ["colour_attributes", "clip_features"])
def test_a_table_that_is_found_damaged_is_made_again_once_it_is_forgotten(home: Path, table: str) -> None:
    path = Warehouse(home / "warehouse").path(table, "sticker")
    whole = path.read_bytes()
    path.write_bytes(whole[:20] + bytes([whole[20] ^ 255]) + whole[21:])
    (fault,) = faults(home, repair=True)["tables"]
    assert f"warehouse/{table}/domain=sticker/part-0.parquet" in fault
    assert not path.exists()
    assert errors_of(build(home, domains=["sticker"], selection=f"+key:{table}")) == []
    assert path.read_bytes() == whole
    assert "tables" not in faults(home)


def test_a_double_id_a_lost_id_and_a_foreign_schema_are_named(home: Path) -> None:
    path = home / "warehouse/clip_features/domain=sticker/part-0.parquet"
    table = pq.ParquetFile(path).read()
    put(pa.concat_tables([table, table.slice(0, 1)]), path)
    (said,) = faults(home)["tables"]
    assert "clip_features/domain=sticker/part-0.parquet: 1 keys occur more than once" in said
    put(table.slice(1), path)
    first = table["clip_id"][0].as_py()
    assert faults(home) == {"nothing lost": [f"clip_features: no row for {first}; build again"]}
    put(table.drop_columns(["motion_mean"]), path)
    assert "lacks motion_mean" in faults(home)["tables"][0]
    put(table, path)
    clips = home / "warehouse/clips/domain=sticker/part-0.parquet"
    put(pq.ParquetFile(clips).read().slice(1), clips)
    found = faults(home)
    assert f"clip_media: {first} is not in clips; build again" in found["ids"]


def test_a_file_that_no_table_knows_and_a_hidden_failure_are_lost_things(home: Path) -> None:
    for table, said in (
        ("source_videos", "neither in source_videos nor in quarantine"),
        ("processing_errors", "failed (not_a_video) but is not in processing_errors"),
    ):
        path = home / f"warehouse/{table}/domain=sticker/part-0.parquet"
        kept = pq.ParquetFile(path).read()
        put(kept.slice(0, 0), path)
        assert any(said in fault for fault in faults(home)["nothing lost"]), table
        put(kept, path)
    assert faults(home) == {}


def test_media_of_clips_that_are_gone_are_removed_only_when_asked_and_only_below_media(home: Path) -> None:
    gone = home / "library/sticker/awe/2.gif"
    gone.unlink()
    rebuilt(home)
    killed = home / "media/clips/sticker/.half.17.tmp.mp4"
    killed.write_bytes(b"half")
    for name in ("warehouse/clips/domain=sticker/.part-0.parquet.0f.tmp", ".catalogue.duckdb.0f.tmp"):
        (home / name).write_bytes(b"half")
        os.utime(home / name, (1, 1))
    half_model = home / "models/.labeller-1.0f.tmp"
    half_model.mkdir(parents=True)
    (half_model / "w.npz").write_bytes(b"half")
    os.utime(half_model, (1, 1))
    stranger = home / "media/notes.txt"
    stranger.write_text("mine", encoding="utf-8")
    assert made(home)["leftovers"].checked == 3, "a build that runs now may have made those of media"
    for path in (home / "media").rglob("*"):
        os.utime(path, (1, 1))
    before = set((home / "library").rglob("*"))
    assert made(home)["leftovers"].checked == 6
    assert "removed" in made(home, repair=True)["leftovers"].note
    assert made(home)["leftovers"].checked == 0
    assert stranger.exists()
    assert not half_model.exists()
    assert set((home / "library").rglob("*")) == before
    assert rebuilt(home) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 0}


def test_the_command_prints_a_line_a_proof_and_fails_with_what_to_do(call: Call, home: Path) -> None:
    sound = call("verify", home=home)
    assert (sound.exit_code, sound.stderr) == (0, "")
    assert [line.split()[0] for line in sound.stdout.splitlines()] == ["holds"] * 11
    path = rows(home, "clip_media", "sticker")[0]["media_path"]
    (home / path).unlink()
    broken = call("verify", home=home)
    assert broken.exit_code == 1
    assert f"{path}: missing or unreadable" in broken.stdout
    assert broken.stdout.splitlines()[-1] == "next: emovid verify --repair, then emovid build"
    told = json.loads(call("verify", "--json", home=home).stdout)
    assert [proof["name"] for proof in told if not proof["holds"]] == ["clip files"]


def test_where_a_build_alone_helps_the_command_asks_for_no_repair(call: Call, home: Path) -> None:
    Warehouse(Home(home).warehouse).path("colour_attributes", "sticker").unlink()
    broken = call("verify", home=home)
    assert "colour_attributes: no row for" in broken.stdout
    assert broken.stdout.splitlines()[-1] == "next: emovid build"


def test_where_nothing_is_built_the_command_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingBuiltError, match="run emovid build"):
        list(proofs(Home(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_a_leak_between_the_splits_is_found(home: Path) -> None:
    shutil.rmtree(home / "warehouse" / "benchmark_split", ignore_errors=True)
    first, second, _ = [row["clip_id"] for row in rows(home, "clips", "sticker")]
    split = [
        valid_row(
            "benchmark_split", number, "sticker", clip_id=clip_id, split=side, group_id="same", first_frame_path=None
        )
        for number, (clip_id, side) in enumerate([(first, "benchmark"), (second, "train")])
    ]
    plant(home, "benchmark_split", split, "sticker")
    assert faults(home) == {"splits": ["group same is in benchmark and training (sticker)"]}
