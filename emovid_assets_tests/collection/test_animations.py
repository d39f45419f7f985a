"""Animations out of folders and archives, honest ones and others."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.collection.animation import TABLE, read_listing, safe_path
from emovid_assets.core.filled_tables import read_text
from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.collect import collect, wanted_rows
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library
from emovid_assets_tests.cli.conftest import Call, call
from emovid_assets_tests.collection.homes import settings

__all__ = ["call"]

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(2000)
MANIFEST = """\
file,region,character,audio,id,licence
a.mp4,Japan,Totoro,yes,one,CC-BY-4.0
deep/b.mp4,France,Astérix,no,two,
missing.mp4,USA,Tom,yes,three,
"""


def contents(**extra: bytes) -> dict[str, bytes]:
    return {"manifest.csv": MANIFEST.encode(), "a.mp4": VIDEO, "deep/b.mp4": VIDEO + b"b", "c.mp4": VIDEO, **extra}


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    settings(made)
    return made


def take(home: Home, source: Path, **options: object) -> Report:
    return collect(home, "animation", sources=[str(source)], **options)  # type: ignore[arg-type]


def ends(home: Home) -> dict[str, tuple[str, str | None]]:
    """Status and reason by the id within its set."""
    rows = wanted_rows(home, "animation")
    return {row["external_id"].rpartition("/")[2]: (row["status"], row["reason_code"]) for row in rows}


def visible(home: Home) -> list[str]:
    top = home.collected("animation")
    return sorted(
        path.relative_to(top).as_posix()
        for path in top.rglob("*")
        if path.is_file() and ".partial" not in path.parts and path.name != "manifest.csv"
    )


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("set", folder),
        ("set.zip", zipped),
        ("set.tar.gz", tarred),
        ("set.tar", lambda path, files: tarred(path, files, "w")),
        ("set.tar.xz", lambda path, files: tarred(path, files, "w:xz")),
    ],
)
def test_files_come_with_region_character_and_sound(
    home: Home, tmp_path: Path, name: str, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    report = take(home, make(tmp_path / name, contents()))
    assert ends(home) == {
        "one": ("present", None),
        "two": ("present", None),
        "three": ("unavailable", "not_in_set"),
    }
    assert (report.fetched, report.notes) == (2, [])
    files = {Path(file.path).name: file.manifest for file in read_library(home, "animation", ItemStore(home.state))}
    assert set(files) == {"a.mp4", "b.mp4"}
    assert files["a.mp4"] == {
        "external_id": f"{name}/one",
        "region": "Japan",
        "character": "Totoro",
        "is_audio_expected": "yes",
        "origin": "magicanime",
        "attribution": "as the set's manifest says",
        "license": "CC-BY-4.0",
    }
    assert (files["b.mp4"]["character"], files["b.mp4"]["is_audio_expected"]) == ("Astérix", "no")
    assert files["b.mp4"]["license"] == "no licence granted; non-commercial research"


def test_the_same_set_again_brings_only_what_is_not_there(home: Home, tmp_path: Path) -> None:
    source = zipped(tmp_path / "set.zip", contents())
    take(home, source, budget=Budget(1, 10**9))
    assert len(visible(home)) == 1
    assert take(home, source).fetched == 1
    assert take(home, source).fetched == 0
    home.state.unlink()
    assert take(home, source).fetched == 0
    assert ends(home)["one"] == ("present", None)


@pytest.mark.parametrize(
    "names", [("clips", "clips"), ("clips.zip", "clips.zip"), ("clips.zip", "clips.tar"), ("a", "b")]
)
def test_two_sets_with_the_same_ids_and_names_take_nothing_from_each_other(
    home: Home, tmp_path: Path, names: tuple[str, str]
) -> None:
    makers = {"": folder, ".zip": zipped, ".tar": lambda path, files: tarred(path, files, "w")}
    sources = []
    for number, name in enumerate(names):
        (tmp_path / str(number)).mkdir()
        files = {"manifest.csv": b"path,id\na.mp4,1\n", "a.mp4": VIDEO + bytes([number])}
        sources.append(makers[Path(name).suffix](tmp_path / str(number) / name, files))
        take(home, sources[-1])
    rows = wanted_rows(home, "animation")
    assert [row["status"] for row in rows] == ["present", "present"]
    assert f"{names[0]}/1" in {row["external_id"] for row in rows}, "only the second of a name has to differ"
    assert {(home.root / row["path"]).read_bytes()[-1] for row in rows} == {0, 1}
    assert [take(home, source).fetched for source in sources] == [0, 0]


def test_a_set_that_was_moved_shows_what_is_there_already(home: Home, tmp_path: Path) -> None:
    source = zipped(tmp_path / "set.zip", contents())
    take(home, source)
    (tmp_path / "elsewhere").mkdir()
    moved = source.rename(tmp_path / "elsewhere" / "set.zip")
    assert take(home, moved).fetched == 0
    assert visible(home) == ["set/a.mp4", "set/deep/b.mp4"]
    of = {row["external_id"]: (row["status"], row["duplicate_of"]) for row in wanted_rows(home, "animation")}
    second = next(name.partition("/")[0] for name in of if not name.startswith("set.zip/"))
    assert of[f"{second}/one"] == ("duplicate", "magicanime/set.zip/one")
    assert of[f"{second}/two"] == ("duplicate", "magicanime/set.zip/two")
    assert take(home, moved).tried == 0


def test_a_manifest_that_is_no_csv_is_named_with_its_line_and_the_other_sets_are_taken(
    home: Home, tmp_path: Path
) -> None:
    broken = b'path,title\na.mp4,Tea\nb.mp4,"Coff' + b"e" * 200_000
    sources = [
        zipped(tmp_path / "broken.zip", {"manifest.csv": broken, "a.mp4": VIDEO}),
        # As old editors end lines.
        folder(tmp_path / "old", {"manifest.csv": b"path,title\ra.mp4,Tea\r", "a.mp4": VIDEO}),
    ]
    report = collect(home, "animation", sources=[str(source) for source in sources])
    (note,) = report.notes
    assert note.startswith(f"{sources[0]}: manifest.csv, line 3 is no CSV")
    assert "quotation mark" in note
    assert visible(home) == ["old/a.mp4"]


@pytest.mark.parametrize("length", [2, 200_000])
def test_a_broken_manifest_of_collected_files_is_left_as_it_is(
    home: Home, tmp_path: Path, call: Call, length: int
) -> None:
    source = zipped(tmp_path / "set.zip", contents())
    take(home, source)
    manifest = home.collected("animation") / "manifest.csv"
    text = manifest.read_text(encoding="utf-8") + '"' + "x" * length
    manifest.write_text(text, encoding="utf-8")
    done = call("collect", "--from", str(source), home=home.root)
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    said = " ".join(done.stderr.split())
    assert "manifest.csv: line 4 is no CSV" in said
    assert "Mend or remove that line" in said
    assert manifest.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "evil",
    [
        "../evil.mp4",
        "/tmp/evil.mp4",
        "..\\evil.mp4",
        "C:\\evil.mp4",
        "a/../../evil.mp4",
        "deep/.hidden/evil.mp4",
        "\x1bevil",
    ],
)
def test_a_member_that_leads_out_of_the_set_is_passed_over(home: Home, tmp_path: Path, evil: str) -> None:
    manifest = "path,id\na.mp4,one\n" + f'"{evil}",evil\n'
    for source in (
        zipped(tmp_path / "set.zip", {"manifest.csv": manifest.encode(), evil: VIDEO, "a.mp4": VIDEO}),
        tarred(tmp_path / "set.tar.gz", {"manifest.csv": manifest.encode(), evil: VIDEO, "a.mp4": VIDEO}),
    ):
        report = take(home, source)
        assert any("passed over" in note or "no path within" in note for note in report.notes)
    assert visible(home) == ["set/a.mp4"] or visible(home) == ["set/a.mp4", "set_tar/a.mp4"]
    assert list(tmp_path.rglob("*evil*")) == []


def test_links_and_devices_are_no_files(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(VIDEO)
    manifest = b"path,id\nlink.mp4,link\nhard.mp4,hard\npipe.mp4,pipe\na.mp4,one\n"
    path = tarred(tmp_path / "set.tar", {"manifest.csv": manifest, "a.mp4": VIDEO}, "w")
    with tarfile.open(path, "a") as archive:
        for name, kind, target in (
            ("link.mp4", tarfile.SYMTYPE, str(secret)),
            ("hard.mp4", tarfile.LNKTYPE, "../secret.mp4"),
            ("pipe.mp4", tarfile.FIFOTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    take(home, path)
    assert visible(home) == ["set/a.mp4"]
    linked = folder(tmp_path / "folder", {"manifest.csv": manifest, "a.mp4": VIDEO + b"other"})
    os.symlink(secret, linked / "link.mp4")
    os.mkfifo(linked / "pipe.mp4")
    take(home, linked)
    assert visible(home) == ["folder/a.mp4", "set/a.mp4"]


def test_a_zip_with_a_link_in_it_gives_no_link(home: Home, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", {"manifest.csv": b"path,id\nlink.mp4,link\n"})
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("link.mp4")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    take(home, path)
    assert visible(home) == []


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_stopped_and_leaves_nothing(
    home: Home, tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    bomb = VIDEO + bytes(80_000_000)
    source = make(tmp_path / "bomb.archive", {"manifest.csv": b"path,id\nbomb.mp4,bomb\n", "bomb.mp4": bomb})
    assert source.stat().st_size < 100_000
    take(home, source)
    assert visible(home) == []
    assert list((home.collected("animation") / ".partial").iterdir()) == []
    assert ends(home)["bomb"][0] != "present"


def test_a_bomb_that_the_manifest_does_not_name_is_not_unpacked(home: Home, tmp_path: Path) -> None:
    files = {"zeros.bin": bytes(80_000_000), "manifest.csv": b"path,id\na.mp4,one\n", "a.mp4": VIDEO}
    report = take(home, tarred(tmp_path / "set.tar.gz", files))
    assert "honest archive" in report.notes[0]
    assert take(home, zipped(tmp_path / "set.zip", files)).fetched == 1


def test_a_file_above_the_limit_or_of_no_kind_is_refused_alone(home: Home, tmp_path: Path) -> None:
    settings(home, max_file_mb=1)
    manifest = b"path,id\nlarge.mp4,large\ntext.mp4,text\na.mp4,one\n"
    files = {"manifest.csv": manifest, "large.mp4": VIDEO + os.urandom(1_100_000), "text.mp4": b"hello", "a.mp4": VIDEO}
    take(home, zipped(tmp_path / "set.zip", files))
    assert ends(home) == {"large": ("failed", "too_large"), "text": ("failed", "wrong_type"), "one": ("present", None)}


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_damaged_archive_keeps_what_came_before_the_damage(
    home: Home, tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    files = {"manifest.csv": b"path,id\na.mp4,one\nb.mp4,two\n", "a.mp4": VIDEO, "b.mp4": VIDEO + os.urandom(300_000)}
    path = make(tmp_path / "set.archive", files)
    data = bytearray(path.read_bytes())
    middle = len(data) * 2 // 3
    data[middle : middle + 2000] = os.urandom(2000)
    path.write_bytes(data)
    report = take(home, path)
    assert any("damaged" in note for note in report.notes)
    # A tar has no checksum of a single file: what comes out of it wrong, the build finds.
    assert visible(home) in ([["set/a.mp4"]] if make is zipped else [["set/a.mp4"], ["set/a.mp4", "set/b.mp4"]])


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x05\x06" + bytes(18), b"\x1f\x8b\x08\0broken"])
def test_what_is_no_set_is_told_in_a_sentence(home: Home, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "odd").write_bytes(data)
    assert len(take(home, tmp_path / "odd").notes) == 1
    assert "no such file" in take(home, tmp_path / "nowhere").notes[0]
    assert "manifest.csv" in take(home, folder(tmp_path / "bare", {"a.mp4": VIDEO})).notes[0]


def test_a_file_and_a_folder_of_one_name_are_no_crash(home: Home, tmp_path: Path) -> None:
    files = {"manifest.csv": b"path,id\na.mp4,one\na.mp4/b.mp4,two\n", "a.mp4": VIDEO, "a.mp4/b.mp4": VIDEO + b"2"}
    take(home, zipped(tmp_path / "set.zip", files))
    assert ends(home) == {"one": ("present", None), "two": ("failed", "bad_name")}


def test_without_a_set_a_person_is_told_how_to_name_one(home: Home) -> None:
    assert "--from" in collect(home, "animation").notes[0]


def test_sets_of_the_settings_are_read(home: Home, tmp_path: Path) -> None:
    settings(home, animation_sources=(str(folder(tmp_path / "set", contents())),))
    assert collect(home, "animation", is_dry=True).due == 3
    assert visible_or_empty(home) == []
    assert collect(home, "animation").fetched == 2


def visible_or_empty(home: Home) -> list[str]:
    return visible(home) if home.collected("animation").exists() else []


def test_a_wrong_cell_is_named_and_the_rest_counts() -> None:
    found = read_listing(read_text("Path;Audio;Character\na.mp4;maybe;X\n;yes;Y\nb.mp4;TRUE;\n", TABLE))
    assert found.facts == {"a.mp4": {"character": "X"}, "b.mp4": {"is_audio_expected": "yes"}}
    assert len(found.faults) == 2


def test_a_row_with_a_cell_too_many_is_named_and_the_rest_of_the_set_counts() -> None:
    found = read_listing(read_text("path,title\na.mp4,Tea, please\nb.mp4,Milk\n", TABLE))
    assert found.facts == {"b.mp4": {"title": "Milk"}}
    assert found.faults[0].startswith("manifest.csv: line 2 has 3 cells where the header has 2")


@given(st.text(max_size=40))
def test_a_safe_path_stays_below_its_folder_and_is_never_hidden(name: str) -> None:
    path = safe_path(name)
    if path is not None:
        target = Path(os.path.normpath(Path("/top") / path))
        assert target.is_relative_to("/top")
        assert target != Path("/top")
        assert not any(part.startswith(".") for part in Path(path).parts)
