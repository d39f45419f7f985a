"""Whatever must not leave is found in every kind of file that a release holds."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonym_key, pseudonyms
from emovid_assets.resources.release.scanning import MOST_OF_A_FILE, scan_release

ADDRESS = "jane@example.org"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def parquet(path: Path, **columns: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def tar(path: Path, **members: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("_", ".", 1))
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))


ASK = f"ask {ADDRESS}"
WAYS: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "text": ("README.md", "line 3", lambda path: put(path, f"# A\n\n{ASK}\n")),
    "json": ("a.json", "", lambda path: put(path, json.dumps({"a": [{"b": ASK}]}))),
    "json escapes": ("a.json", "", lambda path: put(path, '{"a": "ask jane\\u0040example.org"}')),
    "field of json": ("a.json", "", lambda path: put(path, json.dumps({ASK: 1}))),
    "broken json": ("a.json", "", lambda path: put(path, f'{{"a": "{ASK}')),
    "json lines": ("a.jsonl", "", lambda path: put(path, f'{{}}\n{{"a": "{ASK}"}}\n')),
    "csv": ("a.csv", "b, row 2", lambda path: put(path, f'a,b\n1,"x\ny"\n2,"ask, {ADDRESS}"\n')),
    "ragged csv": ("a.csv", "line 3", lambda path: put(path, f"a,b\n1,2,3\n{ASK}\n")),
    "parquet": ("a.parquet", "a, row 2", lambda path: parquet(path, a=["x", ASK])),
    "list in parquet": ("a.parquet", "a, row 3", lambda path: parquet(path, a=[["x"], ["y", ASK]])),
    "struct in parquet": ("a.parquet", "a.b, row 2", lambda path: parquet(path, a=[{"b": "x"}, {"b": ASK}])),
    "dictionary in parquet": (
        "a.parquet",
        "a, row 2",
        lambda path: parquet(path, a=pa.array(["x", ASK]).dictionary_encode()),
    ),
    "webdataset": (
        "t.tar",
        "x.json",
        lambda path: tar(path, x_mp4=b"\0jane@example.org", x_json=b'{"a": "ask jane@example.org"}'),
    ),
    "hidden file": ("a/.note", "line 1", lambda path: put(path, ASK)),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_address_is_found_wherever_it_stands_and_not_shown(way: str, tmp_path: Path) -> None:
    file, where, write = WAYS[way]
    write(tmp_path / file)
    (found,) = scan_release(tmp_path, None)
    assert (found.file, found.where, found.kind) == (file, where, "address")
    assert ADDRESS not in found.excerpt
    assert "[address]" in found.excerpt


def test_metadata_of_parquet_and_names_of_files_are_looked_at(tmp_path: Path) -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({"made": "/home/jane/x"})
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "of-jane@example.org.png").write_bytes(b"\x89PNG")
    assert [(one.file, one.where, one.kind) for one in scan_release(tmp_path, None)] == [
        ("a.parquet", "metadata of the file", "path"),
        ("of-jane@example.org.png", "its name", "address"),
    ]


def test_the_home_its_keys_and_its_people_are_known(tmp_path: Path) -> None:
    home = Home(tmp_path / "emovid home")
    home.root.mkdir()
    with pseudonyms(home) as people:
        people.annotator("jane@lab")
    release = home.releases / "1.0.0"
    put(
        release / "a.txt",
        f"made in {home.root}/media\n{pseudonym_key(home).hex()}\nby Jane@lab\nAB%2FCD-efgh12 is a key\n",
    )
    found = scan_release(release, home, {"SOME_TOKEN": "ab/cd-efgh12", "OTHER": "made in"})
    assert {(one.where, one.kind) for one in found} == {
        ("line 1", "path"),
        ("line 2", "key"),
        ("line 3", "address"),
        ("line 4", "key"),
    }
    assert not any(str(home.root) in one.excerpt or pseudonym_key(home).hex() in one.excerpt for one in found)


def test_a_home_with_a_short_name_is_not_found_in_other_words(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "https://x.org/opt2/y and /opt2-x and a/opt2\n")
    assert scan_release(tmp_path, Home(Path("/opt2"))) == []
    put(tmp_path / "a.txt", "see /opt2\n")
    assert [one.kind for one in scan_release(tmp_path, Home(Path("/opt2")))] == ["path"]


def test_names_of_annotators_must_be_pseudonyms_and_models_keep_theirs(tmp_path: Path) -> None:
    raters = {"rater_id": ["annotator-0123456789ab", "org/model"], "rater_kind": ["human", "vlm"]}
    parquet(tmp_path / "tables" / "ratings.parquet", **raters)
    parquet(tmp_path / "tables" / "answers.parquet", annotator_id=["simulated-1"])
    assert scan_release(tmp_path, None) == []
    parquet(tmp_path / "tables" / "ratings.parquet", **raters | {"rater_id": ["Jane", "org/model"]})
    put(tmp_path / "tables" / "answers.csv", "annotator_id,label\nJane,awe\n")
    assert [(one.file, one.where, one.kind) for one in scan_release(tmp_path, None)] == [
        ("tables/answers.csv", "annotator_id", "name"),
        ("tables/ratings.parquet", "rater_id", "name"),
    ]


def test_of_a_file_full_of_findings_some_are_told(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "\n".join(f"jane{number}@example.org" for number in range(1000)))
    assert len(scan_release(tmp_path, None)) == MOST_OF_A_FILE
