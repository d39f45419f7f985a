"""Shards: what is in them, that growth and other labels leave most of them alone, and that a killed writer goes on."""

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import RANK_COUNT, file_sha256
from emovid_assets.core.release import samples
from emovid_assets.core.release.samples import bucket, json_of, shard_count
from emovid_assets.resources.release import webdataset
from emovid_assets.resources.release.files import ReleaseFiles
from emovid_assets.resources.release.webdataset import shards_of, write_shards
from emovid_assets_tests.release.planted_releases import clip, table_of

MEDIUM_BYTES = 3_000
SHARD_BYTES = 40_000
"""Some eight clips: a row as JSON has 2,000 bytes."""


def planted(count: int, **facts: Any) -> list[dict[str, Any]]:
    rows = []
    for number in range(count):
        name = f"movie-{number:016x}-00000000-00004000"
        rows.append(
            clip(
                name,
                domain="movie",
                file_name=f"movie/{name}.mp4",
                media_sha256=hashlib.sha256(medium(name)).hexdigest(),
                media_size_bytes=MEDIUM_BYTES,
                split="benchmark" if number % 5 == 0 else "train",
                emotion=EMOTION_NAMES[number % 8],
                caption=f"Thing {number} moves.",
                **facts,
            )
        )
    return rows


def medium(clip_id: str) -> bytes:
    return (clip_id.encode() * MEDIUM_BYTES)[:MEDIUM_BYTES]


def place(folder: Path, rows: list[dict[str, Any]]) -> ReleaseFiles:
    for row in rows:
        if row["file_name"]:
            path = folder / row["split"] / row["file_name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(medium(row["clip_id"]))
    return ReleaseFiles(folder)


def write(folder: Path, rows: list[dict[str, Any]], before: Path | None = None) -> ReleaseFiles:
    files = place(folder, rows)
    write_shards(files, table_of(rows), before, shard_bytes=SHARD_BYTES)
    return files


def read(folder: Path) -> dict[str, dict[str, bytes]]:
    """Samples as WebDataset groups them: by what stands before the first dot, members of one in a row."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted((folder / "webdataset").glob("*.tar")):
        last = None
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                assert (key == last) or key not in found
                assert (member.mtime, member.uid, member.gid, member.uname, member.mode) == (0, 0, 0, "", 0o644)
                file = tar.extractfile(member)
                assert file is not None
                found.setdefault(key, {"__shard__": path.name.encode()})[suffix] = file.read()
                last = key
    return found


def test_a_sample_holds_medium_row_caption_and_class(tmp_path: Path) -> None:
    rows = planted(20)
    rows[3] |= {"file_name": None}
    rows[4] |= {"caption": None, "label_confidence": float("nan")}
    write(tmp_path, rows)
    found = read(tmp_path)
    assert set(found) == {row["clip_id"] for row in rows if row["file_name"]}
    for row in rows:
        if row["file_name"]:
            sample = found[row["clip_id"]]
            assert list(sample) == ["__shard__", "mp4", "json", "txt", "cls"]
            assert sample["mp4"] == medium(row["clip_id"])
            assert sample["txt"].decode() == (row["caption"] or "")
            assert EMOTION_NAMES[int(sample["cls"])] == row["emotion"]
            assert sample["__shard__"].decode().startswith(row["split"])
            said = json.loads(sample["json"], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
            assert said == {**row, "label_confidence": None if row is rows[4] else row["label_confidence"]}


def test_moments_are_iso_8601() -> None:
    from datetime import UTC, datetime

    assert json_of({"at": datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)}) == b'{"at": "2026-11-30T01:02:03+00:00"}'


def test_shards_json_says_what_there_is(tmp_path: Path) -> None:
    files = write(tmp_path, planted(60))
    found = shards_of(tmp_path)
    assert {shard.name for shard in found} == {path.name for path in (tmp_path / "webdataset").glob("*.tar")}
    assert sum(shard.samples for shard in found) == 60
    for shard in found:
        path = tmp_path / "webdataset" / shard.name
        assert (shard.bytes, shard.sha256) == (path.stat().st_size, file_sha256(path))
        assert files.sums[f"webdataset/{shard.name}"] == shard.sha256
    assert files.sums["webdataset/shards.json"] == file_sha256(tmp_path / "webdataset" / "shards.json")
    # Numbers have no gap, as people write them as {000000..000007}.
    for split in ("train", "benchmark"):
        names = sorted(shard.name for shard in found if shard.split == split)
        assert names == [f"{split}-{number:06d}.tar" for number in range(len(names))]
        assert len(names) > 1


def test_the_same_rows_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = planted(30)
    write(tmp_path / "a", rows)
    write(tmp_path / "b", rows[::-1])
    assert shards_of(tmp_path / "a") == shards_of(tmp_path / "b")


def test_other_labels_write_only_the_shards_of_their_clips_anew(tmp_path: Path) -> None:
    rows = planted(100)
    write(tmp_path / "1", rows)
    changed = [rows[17]["clip_id"], rows[42]["clip_id"]]
    others = [{**row, "emotion": "fear"} if row["clip_id"] in changed else row for row in rows]
    files = write(tmp_path / "2", others, before=tmp_path / "1")
    shard_of = {key: sample["__shard__"].decode() for key, sample in read(tmp_path / "2").items()}
    touched = {shard_of[clip_id] for clip_id in changed}
    for shard in shards_of(tmp_path / "2"):
        old, new = (tmp_path / name / "webdataset" / shard.name for name in ("1", "2"))
        assert os.path.samefile(old, new) is (shard.name not in touched)
    assert files.effort.written_count == len(touched)
    assert files.effort.linked_count == len(shard_of and shards_of(tmp_path / "2")) - len(touched)


def test_a_clip_stays_in_its_shard_when_others_come(tmp_path: Path) -> None:
    rows = planted(110)
    write(tmp_path / "1", rows[:100])
    write(tmp_path / "2", rows, before=tmp_path / "1")
    before, after = read(tmp_path / "1"), read(tmp_path / "2")
    assert all(after[key]["__shard__"] == sample["__shard__"] for key, sample in before.items())


def test_a_damaged_shard_of_an_earlier_release_is_not_handed_on(tmp_path: Path) -> None:
    rows = planted(30)
    write(tmp_path / "1", rows)
    damaged = tmp_path / "1" / "webdataset" / "train-000000.tar"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    write(tmp_path / "2", rows, before=tmp_path / "1")
    assert read(tmp_path / "2")[rows[1]["clip_id"]]["mp4"] == medium(rows[1]["clip_id"])
    assert not os.path.samefile(damaged, tmp_path / "2" / "webdataset" / damaged.name)


def test_a_killed_writer_goes_on_behind_the_last_whole_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = planted(60)
    write(tmp_path / "undisturbed", rows)
    wanted = shards_of(tmp_path / "undisturbed")
    files = place(tmp_path / "killed", rows)

    def killed(done: int, count: int) -> None:
        assert count == len(wanted)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(files, table_of(rows), shard_bytes=SHARD_BYTES, tell=killed)
    again = ReleaseFiles(tmp_path / "killed")
    made: list[str] = []
    write_one = webdataset._written
    monkeypatch.setattr(
        webdataset, "_written", lambda files, rows, shard: made.append(shard.name) or write_one(files, rows, shard)
    )
    assert write_shards(again, table_of(rows), shard_bytes=SHARD_BYTES) == wanted
    assert made == [shard.name for shard in wanted[3:]]
    assert (again.effort.kept_count, again.effort.written_count) == (3, len(wanted) - 3)


def test_a_shard_that_was_left_by_another_attempt_goes(tmp_path: Path) -> None:
    stray = tmp_path / "webdataset" / "train-000099.tar"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"left")
    write(tmp_path, planted(10))
    assert not stray.exists()


def test_without_media_there_are_no_shards(tmp_path: Path) -> None:
    rows = [{**row, "file_name": None} for row in planted(4)]
    assert write_shards(ReleaseFiles(tmp_path), table_of(rows)) == ()
    assert not (tmp_path / "webdataset").exists()
    assert shards_of(tmp_path) == ()


def test_a_shards_json_that_cannot_be_read_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "webdataset" / "shards.json"
    path.parent.mkdir()
    path.write_text('{"shards": [{"name": "x"}]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"shards\.json cannot be read .*fetch or copy the release again"):
        shards_of(tmp_path)


def test_a_shard_is_never_held_in_memory(tmp_path: Path) -> None:
    """As much as a clip of it may be, but not all of it."""
    import tracemalloc

    rows = planted(4)
    for row in rows:
        row |= {"split": "train", "media_size_bytes": 20_000_000}
    files = place(tmp_path, rows)
    for row in rows:
        (tmp_path / "train" / row["file_name"]).write_bytes(bytes(20_000_000))
    tracemalloc.start()
    (shard,) = write_shards(files, table_of(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shard.bytes > 80_000_000
    assert peak < 10_000_000


ranks = st.lists(st.integers(0, RANK_COUNT - 1), min_size=1, max_size=200, unique=True)


@given(ranks, st.integers(1, 10**12), st.none() | st.sampled_from([1, 2, 4, 64]), st.integers(1, 10**10))
def test_there_are_as_many_shards_as_fit_and_none_is_empty(
    found: list[int], size: int, before: int | None, shard_bytes: int
) -> None:
    count = shard_count(found, size, before, shard_bytes)
    assert count & (count - 1) == 0
    assert {bucket(rank, count) for rank in found} == set(range(count))
    if count > 1:
        # Twice the size is the most that a few too large ones could do, and half of it the least.
        assert size / count >= 0.35 * shard_bytes


@given(st.integers(0, RANK_COUNT - 1), st.integers(0, 12))
def test_twice_as_many_shards_are_the_same_in_two_halves(rank: int, power: int) -> None:
    assert bucket(rank, 2 ** (power + 1)) // 2 == bucket(rank, 2**power)


@given(st.sampled_from([2, 4, 8, 16]), st.floats(0.45, 1.4))
def test_a_library_that_grows_a_little_keeps_its_number_of_shards(before: int, mean: float) -> None:
    spread = [RANK_COUNT * number // 1024 for number in range(1024)]
    assert shard_count(spread, round(before * mean * samples.SHARD_BYTES), before) == before
