"""The library folder: files by content, manifests, and what stays out."""

import os

import pytest

from emovid_assets.layout import Home
from emovid_assets.resources import library
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library


class Shelf:
    """A library of one domain."""

    def __init__(self, root):
        self.home = Home(root)
        self.folder = self.home.library / "sticker"
        self.folder.mkdir(parents=True)
        self.store = ItemStore(self.home.state)

    def put(self, name, content=None):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((content or name).encode())
        return path

    def manifest(self, text, folder="", encoding="utf-8"):
        path = self.folder / folder / "manifest.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=encoding)

    def read(self):
        return {
            file.path.removeprefix("library/sticker/"): file for file in read_library(self.home, "sticker", self.store)
        }

    def faults(self):
        return {
            row.item_id.removeprefix("library/sticker/"): (row.code, row.message)
            for row in self.store.failures("sticker", "library")
        }


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "home")


def test_no_library_is_an_empty_library(tmp_path):
    assert read_library(Home(tmp_path), "movie", ItemStore(tmp_path / "state.sqlite")) == []


def test_names_of_any_kind_are_taken_as_they_are(shelf):
    names = [
        "Grand Lapin – été ñ 兎 🐰 (copy).webm",
        "-dash-.mp4",
        "no_extension",
        "a b/c'd\"e;f.gif",
        "%41.gif",
        "x\ny.gif",
    ]
    for name in names:
        shelf.put(name)
    assert sorted(shelf.read()) == sorted(names)
    assert shelf.faults() == {}


def test_hidden_files_sidecars_and_metadata_stay_out(shelf):
    for name in (".hidden.mp4", ".cache/a.mp4", "a.srt", "a.JSON", "notes.txt", "metadata/clips.csv", "metadata/x.mp4"):
        shelf.put(name)
    shelf.put("deep/metadata/kept.mp4")
    assert list(shelf.read()) == ["deep/metadata/kept.mp4"]


def test_equal_bytes_are_one_file_that_knows_its_other_paths(shelf):
    for name in ("b.gif", "a.gif", "z/c.gif"):
        shelf.put(name, "same")
    shelf.put("other.gif")
    files = shelf.read()
    assert sorted(files) == ["a.gif", "other.gif"]
    assert files["a.gif"].duplicate_paths == ["library/sticker/b.gif", "library/sticker/z/c.gif"]


def test_what_is_known_of_a_duplicate_is_known_of_the_file(shelf):
    shelf.put("a.gif", "same")
    shelf.put("fear/b.gif", "same")
    shelf.manifest("path,title\na.gif,First\nfear/b.gif,Second\n")
    assert shelf.read()["a.gif"].manifest == {"title": "First", "intended_emotion": "fear"}


def test_a_folder_named_like_an_emotion_gives_its_files_that_emotion(shelf):
    for name in ("awe/a.gif", "Fear/deep/b.gif", "awe/sadness/c.gif", "plain/d.gif", "anger.gif"):
        shelf.put(name)
    emotions = {name: file.manifest.get("intended_emotion") for name, file in shelf.read().items()}
    assert emotions == {
        "awe/a.gif": "awe",
        "Fear/deep/b.gif": "fear",
        "awe/sadness/c.gif": "sadness",
        "plain/d.gif": None,
        "anger.gif": None,
    }


def test_a_manifest_tells_what_the_file_does_not(shelf):
    shelf.put("fear/a.gif")
    shelf.manifest(
        "path,external_id,title,film_id,film_position,intended_emotion,region,license,extra\n"
        'fear/a.gif,x1,"Tea, please",f1,3,Awe,EU,CC-BY-4.0,ignored\n',
        encoding="utf-8-sig",
    )
    assert shelf.read()["fear/a.gif"].manifest == {
        "external_id": "x1",
        "title": "Tea, please",
        "film_id": "f1",
        "film_position": "3",
        "intended_emotion": "awe",
        "region": "EU",
        "license": "CC-BY-4.0",
    }
    assert shelf.faults() == {}


def test_the_nearest_manifest_decides(shelf):
    shelf.put("z/a.gif")
    shelf.put("b/a.gif", "other")
    for folder in ("z", "b"):
        shelf.manifest("path,title\na.gif,near\n", folder)
    shelf.manifest("path,title\nz/a.gif,far\nb/a.gif,far\n")
    assert [file.manifest["title"] for file in shelf.read().values()] == ["near", "near"]


def test_a_manifest_behind_a_linked_folder_counts(shelf, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.gif").write_bytes(b"a")
    (outside / "manifest.csv").write_text("path,title\na.gif,linked\n")
    (shelf.folder / "link").symlink_to(outside)
    assert shelf.read()["link/a.gif"].manifest == {"title": "linked"}


@pytest.mark.parametrize(
    ("text", "item", "code", "words"),
    [
        ("file,title\na.gif,x\n", "manifest.csv", "manifest_invalid", "no column `path`"),
        ("", "manifest.csv", "manifest_invalid", "no column `path`"),
        ("path,intended_emotion\na.gif,joy\n", "manifest.csv:2", "manifest_invalid", "'joy', not one of amusement"),
        ("path,film_position\na.gif,third\n", "manifest.csv:2", "manifest_invalid", "'third', not a whole number"),
        ("path,title\n,x\n", "manifest.csv:2", "manifest_invalid", "names no `path`"),
        ("path\ngone.gif\n", "gone.gif", "manifest_missing_file", "not in the library"),
        (f"path\n{'x' * 5000}\n", "x" * 5000, "manifest_missing_file", "not in the library"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_said_and_stops_nothing(shelf, text, item, code, words):
    shelf.put("a.gif")
    shelf.manifest(text)
    assert list(shelf.read()) == ["a.gif"]
    ((found, (found_code, message)),) = shelf.faults().items()
    assert (found, found_code) == (item, code)
    assert words in message


def test_a_wrong_cell_leaves_the_rest_of_its_row(shelf):
    shelf.put("a.gif")
    shelf.manifest("path,title,intended_emotion\na.gif,Tea,joy\n")
    assert shelf.read()["a.gif"].manifest == {"title": "Tea"}


def test_a_manifest_in_another_encoding_is_named(shelf):
    shelf.put("a.gif")
    (shelf.folder / "manifest.csv").write_bytes("path,title\na.gif,été\n".encode("latin-1"))
    shelf.read()
    assert shelf.faults()["manifest.csv"][0] == "manifest_invalid"


def test_a_manifest_may_not_confuse_a_neighbouring_folder_with_the_home(shelf):
    (shelf.home.root.parent / "home2").mkdir()
    shelf.manifest("path\n../../../home2/a.gif\n")
    shelf.read()
    assert [code for code, _ in shelf.faults().values()] == ["manifest_missing_file"]


def test_a_mended_manifest_clears_its_fault(shelf):
    shelf.put("a.gif")
    shelf.manifest("file\na.gif\n")
    shelf.read()
    shelf.read()
    assert shelf.store.failures("sticker")[0].attempt_count == 2
    shelf.manifest("path\na.gif\n")
    shelf.read()
    assert shelf.faults() == {}


def test_links_are_followed_and_loops_end(shelf, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.gif").write_bytes(b"far")
    shelf.put("near/a.gif")
    (shelf.folder / "link").symlink_to(outside)
    (shelf.folder / "near" / "up").symlink_to(shelf.folder)
    (shelf.folder / "self.gif").symlink_to(shelf.folder / "self.gif")
    (shelf.folder / "broken.gif").symlink_to(tmp_path / "nowhere")
    assert sorted(shelf.read()) == ["link/far.gif", "near/a.gif"]
    assert {name: code for name, (code, _) in shelf.faults().items()} == {
        "self.gif": "unreadable",
        "broken.gif": "vanished",
    }


def test_a_pipe_is_reported_and_not_waited_for(shelf):
    os.mkfifo(shelf.folder / "pipe.mp4")
    shelf.put("a.gif")
    assert list(shelf.read()) == ["a.gif"]
    assert shelf.faults()["pipe.mp4"][0] == "not_a_video"


def test_a_name_that_is_not_utf8_is_reported_and_stops_nothing(shelf):
    shelf.put("a.gif")
    with open(os.fsencode(shelf.folder) + b"/caf\xe9.gif", "wb") as file:
        file.write(b"latin")
    assert list(shelf.read()) == ["a.gif"]
    assert {name: code for name, (code, _) in shelf.faults().items()} == {"caf\\xe9.gif": "bad_name"}


def test_only_new_and_changed_files_are_hashed(shelf, monkeypatch):
    hashed = []
    plain = library.file_sha256
    monkeypatch.setattr(library, "file_sha256", lambda path: hashed.append(path.name) or plain(path))
    path = shelf.put("a.gif", "one")
    shelf.put("b.gif")
    before = shelf.read()
    assert sorted(hashed) == ["a.gif", "b.gif"]
    shelf.read()
    assert len(hashed) == 2
    shelf.put("a.gif", "two")
    os.utime(path, ns=(0, 1))
    after = shelf.read()
    assert hashed[2:] == ["a.gif"]
    assert after["a.gif"].sha256 != before["a.gif"].sha256
    path.unlink()
    shelf.read()
    assert list(shelf.store.known_hashes()) == ["library/sticker/b.gif"]


def test_reading_one_domain_leaves_the_hashes_of_the_others(shelf):
    shelf.put("a.gif")
    shelf.read()
    read_library(shelf.home, "movie", shelf.store)
    assert list(shelf.store.known_hashes()) == ["library/sticker/a.gif"]
