"""A release proves itself: whatever somebody changes in it is found, also by whom new sums were made."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emovid_assets.checks.releases import release_faults, release_proofs
from emovid_assets.resources.release.reading import NotAReleaseError
from emovid_assets_tests.assets.homes import Demo, copy_of
from emovid_assets_tests.once import made_once
from emovid_assets_tests.release.made import make, read

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def made(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(folder: Path) -> None:
        home = copy_of(demo.home, folder / "home")
        make(home, has_shards=True)
        (home / "releases" / "1.0.0").rename(folder / "release")

    return made_once(tmp_path_factory, "one-release", build) / "release"


@pytest.fixture
def release(made: Path, tmp_path: Path) -> Path:
    """A copy of its own, without its home."""
    return copy_of(made, tmp_path / "elsewhere")


def faults(folder: Path) -> dict[str, list[str]]:
    return {proof.name: proof.faults for proof in release_proofs(folder) if not proof.holds}


def rewrite_sums(folder: Path) -> None:
    """What whoever wants to hide a change would do."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))


def change_row(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Of one clip with a medium, in the Parquet file of the training split; returns its id."""
    path = folder / "train" / "metadata.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0] |= change(rows[0])
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return str(rows[0]["clip_id"])


def a_clip_file(folder: Path) -> Path:
    return sorted(folder.glob("train/*/*.mp4"))[0]


def test_as_it_was_made_everything_holds(release: Path) -> None:
    proofs = {proof.name: proof for proof in release_proofs(release)}
    assert [proof.faults for proof in proofs.values()] == [[]] * len(proofs)
    assert set(proofs) == {
        *("files", "rows", "digest", "clips.csv", "clip files", "shards", "permissions", "splits"),
        "nothing personal",
    }
    assert proofs["rows"].checked == read(release).num_rows > 0


def test_one_changed_bit_of_a_clip_is_found(release: Path) -> None:
    path = a_clip_file(release)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    name = path.relative_to(release).as_posix()
    assert faults(release) == {"files": [f"{name} has other bytes than were released"]}


def test_a_missing_file_is_found(release: Path) -> None:
    path = a_clip_file(release)
    path.unlink()
    assert faults(release) == {"files": [f"{path.relative_to(release).as_posix()} is missing or unreadable"]}


def test_a_file_that_was_put_in_is_found(release: Path) -> None:
    (release / "notes.txt").write_text("mine")
    assert faults(release) == {"files": ["notes.txt is no file of this release: move it away"]}


def test_a_link_is_not_taken_for_the_file(release: Path) -> None:
    path = a_clip_file(release)
    elsewhere = release.parent / "elsewhere.mp4"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert faults(release) == {"files": [f"{path.relative_to(release).as_posix()} is missing or unreadable"]}


def test_a_changed_label_is_found_by_its_file(release: Path) -> None:
    change_row(release, lambda row: {"emotion": "awe" if row["emotion"] != "awe" else "fear"})
    assert "train/metadata.parquet has other bytes than were released" in faults(release)["files"]


def test_a_changed_label_is_found_where_new_sums_were_made(release: Path) -> None:
    clip_id = change_row(release, lambda row: {"emotion": "awe" if row["emotion"] != "awe" else "fear"})
    rewrite_sums(release)
    found = faults(release)
    assert set(found) == {"digest", "clips.csv", "shards"}
    assert found["clips.csv"] == [f"{clip_id}: clips.csv and the row of the clip differ"]
    assert all(clip_id in fault for fault in found["shards"])


def test_a_changed_cell_of_the_table_for_people_is_found(release: Path) -> None:
    path = release / "clips.csv"
    clip = read(release).to_pylist()[0]
    text = path.read_text(encoding="utf-8")
    assert clip["caption"] in text
    path.write_text(text.replace(clip["caption"], clip["caption"].upper()), encoding="utf-8")
    rewrite_sums(release)
    found = faults(release)
    assert set(found) == {"clips.csv"}
    assert f"{clip['clip_id']}: clips.csv and the row of the clip differ" in found["clips.csv"]


def test_a_clip_that_was_exchanged_for_another_is_found(release: Path) -> None:
    one, other = sorted(release.glob("train/*/*.mp4"))[:2]
    one.write_bytes(other.read_bytes())
    rewrite_sums(release)
    found = faults(release)
    assert found["clip files"] == [
        f"{one.stem}: {one.relative_to(release).as_posix()} is not the file that its row says"
    ]


def test_a_clip_file_without_a_row_is_found(release: Path) -> None:
    path = a_clip_file(release)
    stray = path.with_name("stray.mp4")
    stray.write_bytes(path.read_bytes())
    rewrite_sums(release)
    assert faults(release) == {"clip files": [f"{stray.relative_to(release).as_posix()} is of no row"]}


def test_a_clip_that_its_licence_does_not_permit_is_found(release: Path) -> None:
    clip_id = change_row(release, lambda row: {"license": "All rights reserved"})
    rewrite_sums(release)
    (fault,) = faults(release)["permissions"]
    assert fault.startswith(f"{clip_id}: its file is here, but 'All rights reserved' is no licence that is known")


def test_a_clip_in_training_of_a_group_of_the_benchmark_is_found(release: Path) -> None:
    group = pq.read_table(release / "benchmark" / "metadata.parquet")["group_id"][0].as_py()
    change_row(release, lambda row: {"group_id": group})
    rewrite_sums(release)
    assert faults(release)["splits"] == [f"group_id {group} is in train and benchmark"]


def test_an_address_is_found_wherever_it_was_put(release: Path) -> None:
    (release / "README.md").write_text((release / "README.md").read_text() + "\nAsk ann@example.org\n")
    rewrite_sums(release)
    (fault,) = faults(release)["nothing personal"]
    assert fault.startswith("README.md")
    assert "example.org" not in fault


def test_an_address_is_found_before_a_release_is_pushed(release: Path) -> None:
    assert release_faults(release) == []
    (release / "README.md").write_text((release / "README.md").read_text() + "\nAsk ann@example.org\n")
    rewrite_sums(release)
    (fault,) = release_faults(release)
    assert fault.startswith("nothing personal: README.md")


@pytest.mark.parametrize("name", ["release.json", "SHA256SUMS"])
def test_without_its_record_it_is_no_release(release: Path, name: str) -> None:
    (release / name).unlink()
    with pytest.raises(NotAReleaseError, match=name):
        list(release_proofs(release))


def test_rows_that_cannot_be_read_are_told(release: Path) -> None:
    (release / "train" / "metadata.parquet").write_bytes(b"PAR1 no more")
    found = faults(release)
    assert "train/metadata.parquet" in found["files"][0]
    assert "fetch or copy it again" in found["rows"][0]


def test_a_count_that_the_record_tells_wrongly_is_found(release: Path) -> None:
    path = release / "release.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"media_count": 1}))
    rewrite_sums(release)
    assert faults(release) == {
        "clip files": [f"release.json says 1 clips with media, and {record['media_count']} have"]
    }


def give(folder: Path, path: str, data: bytes) -> None:
    """A file more, with a sum."""
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(data)
    rewrite_sums(folder)


@pytest.mark.parametrize("path", ["first_frames/x.png", "more/x.mp4", "x.mp4", "tables/x.webm", "more/x.tar"])
def test_a_picture_or_film_that_no_row_names_is_found_wherever_it_lies(release: Path, path: str) -> None:
    give(release, path, a_clip_file(release).read_bytes())
    assert faults(release)["clip files"] == [f"{path} is of no row"]


def test_a_shard_that_nobody_names_is_found(release: Path) -> None:
    shard = sorted((release / "webdataset").glob("*.tar"))[0]
    give(release, "webdataset/more.tar", shard.read_bytes())
    assert faults(release)["shards"] == ["webdataset/more.tar is no shard that webdataset/shards.json names"]


def test_a_first_frame_that_is_gone_is_found(release: Path) -> None:
    frame = sorted((release / "first_frames").iterdir())[0]
    frame.unlink()
    rewrite_sums(release)
    assert faults(release)["clip files"] == [f"{frame.stem}: there is no first_frames/{frame.name}"]


def test_a_folder_that_leads_out_of_the_release_is_found(release: Path, tmp_path: Path) -> None:
    (release / "more").symlink_to(tmp_path)
    assert faults(release)["files"] == ["more is no file of this release: move it away"]


@pytest.mark.parametrize("name", ["domains", "splits", "metadata_only_count"])
def test_what_the_record_counts_is_counted_again(release: Path, name: str) -> None:
    path = release / "release.json"
    said = json.loads(path.read_text())
    said[name] = {} if isinstance(said[name], dict) else said[name] + 1
    path.write_text(json.dumps(said))
    rewrite_sums(release)
    (told,) = faults(release)["digest"]
    assert told.startswith(f"release.json says {name} ")


@pytest.mark.parametrize("pattern", ["webdataset/*.tar", "tables/clip_embeddings.parquet", "first_frames/*", "*.csv"])
def test_a_torn_file_is_found_and_the_rest_is_proved(release: Path, pattern: str) -> None:
    path = sorted(release.glob(pattern))[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    proofs = {proof.name: proof for proof in release_proofs(release)}
    name = path.relative_to(release).as_posix()
    assert proofs["files"].faults == [f"{name} has other bytes than were released"]
    assert proofs["splits"].holds
    assert "nothing personal" in proofs
