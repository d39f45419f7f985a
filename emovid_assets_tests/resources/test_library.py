"""The library folder: files by content, manifests, and what stays out."""

import hashlib
import os
import signal
import socket
import threading
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources import library
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import known_and_new, read_library
from emovid_assets.resources.library_files import known_stamps, listing, strays


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

    def side_files(self):
        return dict(listing(self.home, "sticker").side_files)

    def has_news(self):
        return listing(self.home, "sticker").stamps != known_stamps(self.store, "sticker")

    def draw(self, name, frame_count=1):
        """A picture; one that moves where it has several frames."""
        frames = [Image.new("RGB", (16, 16), (40 * number, 99, 9)) for number in range(frame_count)]
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frames[0].save(path, save_all=frame_count > 1, append_images=frames[1:])
        return path


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
    assert shelf.side_files() == {"system file": 1, "subtitle": 1, "text": 2}


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
    code, message = shelf.faults()["manifest.csv"]
    assert (code, message.partition(". ")[0]) == ("manifest_unknown_column", "the column `extra` is read by nothing")


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


def test_every_bad_cell_is_named_with_its_column_and_value_and_good_ones_count(shelf):
    shelf.put("awe/a.gif")
    shelf.manifest(
        "path,intended_emotion,film_position,trim_s,is_audio_expected,title\nawe/a.gif,happy,3.0,-1,perhaps,Tea\n"
    )
    assert shelf.read()["awe/a.gif"].manifest == {"intended_emotion": "awe", "film_position": "3", "title": "Tea"}
    ((item, (code, message)),) = shelf.faults().items()
    assert (item, code) == ("manifest.csv:2", "manifest_invalid")
    assert "`intended_emotion` is 'happy', not one of amusement, awe," in message
    assert "`trim_s` is '-1', not a number of seconds above 0" in message
    assert "`is_audio_expected` is 'perhaps', not one of yes, no" in message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_a_manifest_of_any_program_is_read(shelf, separator, encoding):
    shelf.put("e\u0301t\u00e9.gif")
    rows = [("Path", "Intended Emotion", "film_position", "is_audio_expected", "title")]
    rows.append(("\u00e9te\u0301.gif", " AWE ", "3.0", "Yes", "Cafe\u0301"))
    shelf.manifest("\n".join(map(separator.join, rows)), encoding=encoding)
    (file,) = shelf.read().values()
    assert file.manifest == {
        "intended_emotion": "awe",
        "film_position": "3",
        "is_audio_expected": "yes",
        "title": "Caf\u00e9",
    }
    assert shelf.faults() == {}


def test_a_column_with_a_name_that_nothing_reads_is_told_of_with_the_likely_one(shelf):
    shelf.put("a.gif")
    shelf.manifest("path,licence\na.gif,CC-BY-4.0\n")
    assert shelf.read()["a.gif"].manifest == {}
    code, message = shelf.faults()["manifest.csv"]
    assert code == "manifest_unknown_column"
    assert "`licence` is read by nothing: is `license` meant?" in message


def test_rows_between_two_open_quotation_marks_count(shelf):
    for name in ("a.gif", "my b.gif", "c.gif"):
        shelf.put(name)
    shelf.manifest('path,region,title\na.gif,North,"Tea\nmy b.gif,South,Coffee\nc.gif,West,Milk"\n')
    assert {name: file.manifest["region"] for name, file in shelf.read().items()} == {
        "a.gif": "North",
        "c.gif": "West",
        "my b.gif": "South",
    }
    assert "line 2 is no CSV (line 3 stands within its cell)" in shelf.faults()["manifest.csv:2"][1]


def test_a_row_with_a_cell_too_many_gives_no_facts(shelf):
    shelf.put("a.gif")
    shelf.manifest("path,title,license\na.gif,Tea, please,MIT\n")
    assert shelf.read()["a.gif"].manifest == {}
    assert "line 2 has 4 cells where the header has 3" in shelf.faults()["manifest.csv:2"][1]


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
    assert set(shelf.faults()) == {"manifest.csv:3", "manifest.csv:6"}


@pytest.mark.parametrize("length", [2, 200_000])
def test_a_broken_manifest_is_told_of_with_the_line_where_it_breaks(shelf, length):
    shelf.put("a.gif")
    shelf.manifest('path,title\na.gif,Tea\nb.gif,"Coff' + "e" * length + "\nc.gif,Milk\n")
    assert list(shelf.read()) == ["a.gif"]
    code, message = shelf.faults()["manifest.csv:3"]
    assert code == "manifest_invalid"
    assert "line 3" in message
    assert "quotation mark" in message


TITLE = "Big Buck Bunny 1\uff1a Tea [aqz-KE-bpKQ]"
AS_LEFT_BY = {
    "a media centre on a disk": (
        ["film.mp4"],
        "poster.jpg fanart.jpg Thumbs.db film.idx film.sub other.mp4.part film.nfo",
        {"picture": 2, "system file": 1, "subtitle": 2, "partial download": 1, "text": 1},
    ),
    "Kodi": (
        ["Film (2008)/Film (2008).mkv", "Film (2008)/Film (2008)-trailer.mp4", "Show/Season 1/s01e01.mkv"],
        "Film (2008)/Film (2008).nfo|Film (2008)/Film (2008)-poster.png|Film (2008)/Film (2008)-clearlogo.png"
        "|Film (2008)/extrafanart/fanart1.jpg|Film (2008)/.actors/Ann.jpg|Film (2008)/theme.mp3"
        "|Show/season01-poster.png|Show/banner.webp|Show/tvshow.nfo|Show/Season 1/s01e01.tbn",
        {"text": 2, "picture": 6, "sound": 1},
    ),
    "Jellyfin": (
        ["Film/Film.mkv"],
        "Film/folder.png|Film/backdrop1.webp|Film/landscape.avif|Film/Film.trickplay/320 - 10x10/0.jpg|Film/movie.xml"
        "|Film/Film.en.forced.srt|Film/Film.default.eng.sdh.ass",
        {"picture": 4, "text": 1, "subtitle": 2},
    ),
    "yt-dlp": (
        [f"{TITLE}.webm"],
        f"{TITLE}.webp|{TITLE}.info.json|{TITLE}.description|{TITLE}.en.vtt|{TITLE}.de.vtt|{TITLE}.live_chat.json"
        "|Next [bcdefghijkl].webp|Next [bcdefghijkl].f137.mp4.part|Next [bcdefghijkl].f137.mp4.ytdl"
        "|Next [bcdefghijkl].f137.mp4.part-Frag12.part|Next [bcdefghijkl].temp.mp4|Gone [cdefghijklm].png"
        "|Gone [cdefghijklm].info.json",
        {"picture": 3, "text": 4, "subtitle": 2, "partial download": 4},
    ),
    "a phone and a person": (
        ["DCIM/IMG_0002.MOV", "DCIM/VID_0003.mp4"],
        "DCIM/IMG_0001.HEIC|DCIM/IMG_0004.PNG|DCIM/IMG_0002.JPG|DCIM/IMG_0002.AAE|DCIM/._IMG_0002.MOV|DCIM/.DS_Store|old.zip|old.r00|READ"
        "ME|desktop.ini|scan.tif|VID_0003.mp4:Zone.Identifier",
        {"picture": 4, "text": 2, "system file": 4, "archive": 2},
    ),
}


@pytest.mark.parametrize("tool", AS_LEFT_BY)
def test_a_folder_is_read_as_a_tool_leaves_it(shelf, tool):
    media, beside, counts = AS_LEFT_BY[tool]
    for name in media:
        shelf.put(name)
    for name in beside.split("|" if "|" in beside else " "):
        if name.lower().endswith((".png", ".webp", ".avif")):
            shelf.draw(name)
        else:
            shelf.put(name)
    assert sorted(shelf.read()) == sorted(media)
    assert shelf.faults() == {}
    assert shelf.side_files() == counts
    assert not shelf.has_news()


@pytest.mark.parametrize("name", ["poster.png", "film.webp", "film-thumb.gif", "film.avif", "folder.webp"])
def test_artwork_is_a_side_file_where_a_film_is_beside_it_and_it_is_still(shelf, name):
    shelf.draw(name)
    assert list(shelf.read()) == [name], "a still picture alone is tried, and quarantined"
    shelf.put("film.mp4")
    assert shelf.has_news()
    assert (list(shelf.read()), shelf.side_files()) == (["film.mp4"], {"picture": 1})
    shelf.draw(name, frame_count=3)
    assert shelf.has_news()
    assert (sorted(shelf.read()), shelf.side_files()) == (sorted(["film.mp4", name]), {})


def test_a_picture_with_a_name_of_its_own_is_tried_as_a_sticker(shelf):
    shelf.put("film.mp4")
    shelf.draw("awe/happy.png")
    shelf.draw("sad.gif")
    assert sorted(shelf.read()) == ["awe/happy.png", "film.mp4", "sad.gif"]


def test_the_name_of_artwork_counts_in_the_folders_above_a_film_and_nowhere_else(shelf):
    shelf.put("shows/a/s1/film.mp4")
    for name in ("poster.png", "shows/a/poster.png", "shows/a/s1/poster.png", "shows/b/poster.png", "shows/film.png"):
        shelf.draw(name)
    left = [name.removeprefix("library/sticker/") for name in listing(shelf.home, "sticker").media]
    assert sorted(left) == ["shows/a/s1/film.mp4", "shows/b/poster.png", "shows/film.png"]


def test_an_ogg_without_pictures_is_a_sound(shelf):
    shelf.put("theme.ogg", "OggS and vorbis")
    shelf.put("film.ogg", "OggS and \x01video")
    shelf.put("theme.ogg.aria2")
    assert (list(shelf.read()), shelf.side_files()) == (["film.ogg"], {"partial download": 2})


def test_a_file_that_is_being_fetched_is_none_until_it_is_there(shelf):
    shelf.put("a.mp4", "half of it")
    shelf.put("b.mp4").write_bytes(b"")
    shelf.put("c.mp4", "an older one")
    for name in ("a.mp4.aria2", "b.mp4.part", "c.mp4.part"):
        shelf.put(name)
    assert list(shelf.read()) == ["c.mp4"]
    assert shelf.side_files() == {"partial download": 5}
    (shelf.folder / "a.mp4.aria2").unlink()
    assert shelf.has_news()
    assert sorted(shelf.read()) == ["a.mp4", "c.mp4"]


def test_a_side_file_is_no_news_and_neither_is_a_subtitle_that_is_not_used(shelf):
    shelf.put("film.mp4")
    shelf.read()
    for name in ("poster.jpg", "film.nfo", "film.mp3", "other.mp4.part", "film.idx", "x/Thumbs.db"):
        shelf.put(name)
    shelf.draw("poster.png")
    assert not shelf.has_news()
    shelf.put("film.en.srt")
    assert shelf.has_news()
    assert shelf.read()["film.mp4"].subtitle_sha256 == file_sha256(shelf.folder / "film.en.srt")
    shelf.put("film.en.forced.srt")
    assert not shelf.has_news()
    shelf.put("film.SRT")
    assert shelf.has_news()
    assert shelf.read()["film.mp4"].subtitle_sha256 == file_sha256(shelf.folder / "film.SRT")


@pytest.mark.parametrize("name", ["Manifest.csv", "MANIFEST.CSV", "manifest.CSV"])
def test_a_manifest_may_be_written_in_any_case(shelf, name):
    shelf.put("a.gif")
    shelf.put(name, "path,title\na.gif,Tea\n")
    assert shelf.has_news()
    assert shelf.read()["a.gif"].manifest == {"title": "Tea"}
    assert not shelf.has_news()


def test_of_two_manifests_in_a_folder_the_one_in_lower_case_counts_and_the_other_is_named(shelf):
    for name in ("a.gif", "b.gif"):
        shelf.put(name)
    shelf.put("Manifest.csv", "path,title\na.gif,Milk\nb.gif,Milk\n")
    shelf.manifest("path,title\na.gif,Tea\n")
    assert {name: file.manifest["title"] for name, file in shelf.read().items()} == {"a.gif": "Tea", "b.gif": "Milk"}
    ((name, (code, message)),) = shelf.faults().items()
    assert (name, code) == ("Manifest.csv", "manifest_invalid")
    assert "Beside it is manifest.csv" in message


@pytest.mark.parametrize(("of_file", "of_row"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_row_finds_a_file_whose_name_is_in_another_normal_form(shelf, of_file, of_row):
    name = "René/Ünï.gif"
    there, written = (unicodedata.normalize(form, name) for form in (of_file, of_row))
    shelf.put(there)
    shelf.manifest(f"path,title\n{written},Tea\n")
    assert shelf.read()[there].manifest == {"title": "Tea"}
    assert shelf.faults() == {}


def test_files_that_differ_in_case_or_normal_form_alone_are_all_media_with_rows_of_their_own(shelf):
    names = ["a.gif", "A.gif", "a.GIF", "é.gif", "e\u0301.gif"]
    for name in names:
        shelf.put(name)
    shelf.manifest("path,title\n" + "".join(f"{name},{number}\n" for number, name in enumerate(names)))
    assert {name: file.manifest["title"] for name, file in shelf.read().items()} == {
        name: str(number) for number, name in enumerate(names)
    }
    assert shelf.faults() == {}


def test_a_near_manifest_decides_in_whatever_form_it_names_a_file(shelf):
    shelf.put("x/e\u0301.gif")
    shelf.manifest("path,title\nx/e\u0301.gif,far\n")
    shelf.manifest("path,title\né.gif,near\n", "x")
    assert shelf.read()["x/e\u0301.gif"].manifest == {"title": "near"}


LETTERS = st.text(st.sampled_from("aAéÉñ한"), min_size=1, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    name=LETTERS,
    form=st.sampled_from(["NFC", "NFD"]),
    suffix=st.sampled_from([".gif", ".GIF"]),
    others=st.sets(LETTERS),
)
def test_a_row_and_a_subtitle_find_the_one_file_that_is_meant(tmp_path_factory, name, form, suffix, others):
    shelf = Shelf(tmp_path_factory.mktemp("home"))
    written = f"{name}.gif"
    there = unicodedata.normalize(form, name) + suffix
    strangers = {other for other in others if unicodedata.normalize("NFC", other).casefold() != name.casefold()}
    for one in (there, *(f"{other}.gif" for other in strangers)):
        shelf.put(one)
    shelf.put(f"{name}.en.SRT")
    shelf.manifest(f"path,title\n{written},Tea\n")
    read = shelf.read()
    assert [one for one, file in read.items() if file.manifest.get("title") == "Tea"] == [there]
    assert [one for one, file in read.items() if file.subtitle_sha256] == [there]
    assert shelf.faults() == {}
    shelf.store.close()


def test_a_folder_that_is_no_domain_is_named_with_the_likely_one(tmp_path):
    home = Home(tmp_path)
    for name in ("movie", "movies", "Sticker", "Animations", "annotations", "films", ".hidden"):
        (home.library / name).mkdir(parents=True)
    (home.library / "film.mp4").touch()
    assert {stray.name: stray.domain for stray in strays(home)} == {
        "movies": "movie",
        "Sticker": "sticker",
        "Animations": "animation",
        "films": None,
    }
    assert "library/movies is read by nothing" in strays(home)[-1].sentence
    assert "is library/movie meant?" in strays(home)[-1].sentence
    assert strays(Home(tmp_path / "none")) == []


def test_files_are_hashed_side_by_side_and_listed_in_their_order(tmp_path, monkeypatch):
    folder = tmp_path / "library" / "movie"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number:02d}.mp4").write_bytes(bytes([number]))
    both = threading.Barrier(2)

    def meeting(path):
        # Nobody alone would come past here.
        both.wait(timeout=30)
        return file_sha256(path)

    monkeypatch.setattr(library.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(library, "file_sha256", meeting)
    found = read_library(Home(tmp_path), "movie", ItemStore(tmp_path / "state.sqlite"))
    assert [file.path for file in found] == [f"library/movie/{number:02d}.mp4" for number in range(40)]
    assert [file.sha256 for file in found] == [hashlib.sha256(bytes([number])).hexdigest() for number in range(40)]
