"""The library folder: files by content, manifests, and what stays out."""

import os
import signal
import socket

import pytest

from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources import library
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import known_and_new, read_library
from emovid_assets.resources.library_files import known_stamps, listing


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

    def has_news(self):
        return listing(self.home, "sticker").stamps != known_stamps(self.store, "sticker")


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
        ("path,film_position\na.gif,²\n", "manifest.csv:2", "manifest_invalid", "'²', not a whole number"),
        (f"path,film_position\na.gif,{10**20}\n", "manifest.csv:2", "manifest_invalid", "not a whole number"),
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
    assert shelf.store.failures("sticker")[0].attempt_count == 1
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


@pytest.fixture
def patience():
    """Ends a test that waits for a pipe."""

    def give_up(*_):
        raise TimeoutError("a pipe was opened")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(shelf, name):
    os.mkfifo(shelf.folder / name)


def listening(shelf, name):
    with socket.socket(socket.AF_UNIX) as server:
        # The path of a socket may have 108 bytes.
        here = os.getcwd()
        os.chdir(shelf.folder)
        server.bind(name)
        os.chdir(here)


def in_latin1(shelf, name):
    with open(os.fsencode(shelf.folder) + b"/caf\xe9-" + name.encode(), "wb") as file:
        file.write(b"latin")


def link_to_nowhere(shelf, name):
    (shelf.folder / name).symlink_to(shelf.folder / "nowhere")


def link_to_itself(shelf, name):
    (shelf.folder / name).symlink_to(shelf.folder / name)


@pytest.mark.parametrize("make", [pipe, listening, in_latin1, link_to_nowhere, link_to_itself])
def test_what_cannot_be_read_is_news_until_the_quarantine_knows_of_it(shelf, patience, make):
    shelf.put("a.gif")
    shelf.read()
    assert not shelf.has_news()
    make(shelf, "odd.gif")
    assert shelf.has_news()
    assert list(shelf.read()) == ["a.gif"]
    assert len(shelf.faults()) == 1
    assert not shelf.has_news()
    if make is pipe:
        os.utime(shelf.folder / "odd.gif")
        assert not shelf.has_news(), "what goes through a pipe is nobody's business"


def test_a_plan_opens_no_pipe(shelf, patience):
    (shelf.folder / "empty.gif").touch()
    shelf.read()
    pipe(shelf, "odd.gif")
    known, new_count = known_and_new(shelf.home, "sticker", shelf.store)
    assert ([file.path for file in known], new_count) == (["library/sticker/empty.gif"], 0)


def test_in_a_plan_a_file_that_cannot_be_read_is_a_new_one(shelf, monkeypatch):
    shelf.put("a.gif")
    shelf.read()
    shelf.put("b.gif")

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(library, "file_sha256", refused)
    known, new_count = known_and_new(shelf.home, "sticker", shelf.store)
    assert ([file.path for file in known], new_count) == (["library/sticker/a.gif"], 1)


def test_pipes_in_the_place_of_sidecars_are_not_opened(shelf, patience):
    shelf.put("a.gif")
    for name in ("manifest.csv", "a.srt"):
        pipe(shelf, name)
    (shelf.folder / "a.vtt").write_text("WEBVTT", encoding="utf-8")
    read = shelf.read()
    assert read["a.gif"].subtitle_sha256 == file_sha256(shelf.folder / "a.vtt")
    assert {name: code for name, (code, _) in shelf.faults().items()} == {"manifest.csv": "manifest_invalid"}
    metadata = shelf.home.library / "movie" / "metadata"
    metadata.mkdir(parents=True)
    for name in ("clips.csv", "2012.csv"):
        os.mkfifo(metadata / name)
    assert read_library(shelf.home, "movie", shelf.store) == []
    assert next(row.message for row in shelf.store.failures("movie")).startswith("This is no regular file")


def test_a_link_whose_target_has_gone_is_news_once(shelf, tmp_path):
    target = tmp_path / "far.gif"
    target.write_bytes(b"far")
    (shelf.folder / "link.gif").symlink_to(target)
    assert list(shelf.read()) == ["link.gif"]
    target.unlink()
    assert shelf.has_news()
    assert shelf.read() == {}
    assert not shelf.has_news()
    (first,) = shelf.store.failures("sticker")
    shelf.read()
    # Looking again is no further attempt: the table of the quarantine stays what it is.
    assert shelf.store.failures("sticker") == [first]
    target.write_bytes(b"far")
    assert shelf.has_news()


def test_manifests_and_subtitles_beside_media_are_news_and_other_sidecars_are_not(shelf):
    shelf.put("a.gif")
    shelf.read()

    def is_news(name, text):
        (shelf.folder / name).write_text(text, encoding="utf-8")
        found = shelf.has_news()
        shelf.read()
        assert not shelf.has_news()
        return found

    assert is_news("manifest.csv", "path,title\na.gif,Tea\n")
    assert is_news("manifest.csv", "path,title\na.gif,Coffee\n")
    assert is_news("a.vtt", "WEBVTT")
    assert is_news("a.srt", "1")
    assert not is_news("a.vtt", "WEBVTT, which the other one hides")
    assert not is_news("b.srt", "of no file that is here")
    assert not is_news("a.txt", "a note")
    (shelf.folder / "a.srt").unlink()
    assert shelf.has_news()


def test_rows_around_an_open_quotation_mark_count(shelf):
    for name in ("a.gif", "b.gif", "c.gif"):
        shelf.put(name)
    shelf.manifest('path,region,title\na.gif,North,Tea\nb.gif,South,"Coffee\n\nc.gif,West,Milk\n,East,x\n')
    assert {name: file.manifest for name, file in shelf.read().items()} == {
        "a.gif": {"region": "North", "title": "Tea"},
        "b.gif": {"region": "South"},
        "c.gif": {"region": "West", "title": "Milk"},
    }
    assert set(shelf.faults()) == {"manifest.csv", "manifest.csv:6"}


@pytest.mark.parametrize("length", [2, 200_000])
def test_a_broken_manifest_is_told_of_with_the_line_where_it_breaks(shelf, length):
    shelf.put("a.gif")
    shelf.manifest('path,title\na.gif,Tea\nb.gif,"Coff' + "e" * length + "\nc.gif,Milk\n")
    assert list(shelf.read()) == ["a.gif"]
    code, message = shelf.faults()["manifest.csv"]
    assert code == "manifest_invalid"
    assert "line 3" in message
    assert "quotation mark" in message
