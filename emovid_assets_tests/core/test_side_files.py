"""Files beside media that are none, by their names and by the bytes of pictures."""

import pytest
from PIL import Image

from emovid_assets.core.file_names import Names
from emovid_assets.core.side_files import film_stems, is_artwork, is_picture_of, kind_of, kind_of_folder, moves, told


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "picture",
            "poster.jpg fanart.JPG folder.jpeg film.tbn IMG_0001.HEIC scan.TIFF photo.bmp favicon.ico GOPR1.THM",
        ),
        ("subtitle", "film.idx film.sub film.SRT film.en.vtt film.ass film.ssa film.sup film.smi film.lrc film.mks"),
        ("sound", "theme.mp3 film.m4a film.f140.m4a track.flac voice.opus a.WAV"),
        (
            "text",
            "film.nfo film.info.json a.description page.html page.htm a.url notes.TXT log.log paper.pdf README IMG.AAE",
        ),
        ("archive", "a.zip a.rar a.part1.rar a.r00 a.r17 a.z01 a.7z a.7z.001 film.mkv.001 a.tar a.tar.gz a.tgz"),
        (
            "partial download",
            "a.mp4.part a.f137.mp4.part a.mp4.part-Frag3 a.f137.mp4.part-Frag12.part a.mp4.ytdl a.temp.mp4 a.crdownload"
            " a.mp4.download a.mp4.tmp a.mp4.aria2 a.mkv.!qB a.partial ~syncthing~a.mp4.tmp",
        ),
        (
            "system file",
            "Thumbs.db desktop.ini .DS_Store ._film.mp4 ~$list.xlsx film.mp4:Zone.Identifier VIDEO_TS.IFO G1.LRV",
        ),
    ],
)
def test_a_side_file_is_known_by_its_name(kind, names):
    assert {name: kind_of(name) for name in names.split()} == dict.fromkeys(names.split(), kind)


@pytest.mark.parametrize(
    "name",
    [
        *("film.mp4", "film.MKV", "film.m2ts", "VTS_01_1.VOB", "film.ts", "film.f137.mp4", "film.y4m", "raw.h.264"),
        *("a.gif", "a.png", "a.apng", "a.webp", "a.avif", "theme.ogg"),
        *("clip_without_extension", "film.odd", "no. 7", "html_error_page.mp4", "part", "sample", "2012.001"),
    ],
)
def test_what_may_be_a_medium_is_no_side_file(name):
    assert kind_of(name) is None


def test_a_folder_of_a_program_holds_what_the_program_makes():
    names = ("extrafanart", "Film.trickplay", "film.mp4.download", "@eaDir", "$RECYCLE.BIN", "Season 1", "awe")
    assert [kind_of_folder(name) for name in names] == [
        *("picture", "picture", "partial download", "system file", "system file"),
        *(None, None),
    ]


@pytest.mark.parametrize(
    "stem", ["poster", "Fanart", "fanart2", "folder", "clearlogo", "season01-poster", "season-all-banner"]
)
def test_artwork_has_names_that_media_centres_give(stem):
    assert is_artwork(stem)


@pytest.mark.parametrize(
    "stem", ["IMG_0005", "IMG-20240102-WA0003", "PXL_2024", "Screenshot 2024-01-02 at 10.11", "image (2)"]
)
def test_phones_give_names_too(stem):
    assert is_artwork(stem)


@pytest.mark.parametrize(
    "stem", ["thumbs-up", "artist", "posters", "happy", "discovery", "imagine", "photogenic", "dsc"]
)
def test_other_names_are_no_artwork(stem):
    assert not is_artwork(stem)


def test_a_picture_belongs_to_the_film_whose_name_it_bears():
    films = Names(["Ren\u00e9 [abc]", "cat"])
    of_film = (
        "Ren\u00e9 [abc]",
        "Rene\u0301 [abc]",
        "Ren\u00e9 [abc].0",
        "cat-poster",
        "cat-fanart3",
        "cat.hq720",
        "Cat-thumb",
    )
    assert [stem for stem in (*of_film, "cat-happy", "cats", "poster", "dog") if is_picture_of(stem, films)] == [
        *of_film
    ]


@pytest.mark.parametrize(
    "name", ["A. B.mp4", "A. B.f137.mp4", "A. B.f137.mp4.part-Frag3.part", "A. B.info.json", "A. B.mkv.ytdl"]
)
def test_a_film_has_its_pictures_also_while_it_is_fetched(name):
    assert "A. B" in film_stems(name)


def test_a_film_has_pictures_under_its_whole_name_too():
    assert film_stems("film.mp4") == {"film", "film.mp4"}
    assert "Mr. X" in film_stems("Mr. X.temp.mp4")


def test_what_is_no_film_has_no_pictures():
    assert film_stems("poster.jpg") | film_stems("film.nfo") == set()


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "avif"])
def test_a_picture_moves_where_it_has_two_frames(tmp_path, suffix):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / f"still.{suffix}")
    frames[0].save(tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:], duration=100)
    assert [moves(tmp_path / f"{name}.{suffix}") for name in ("still", "moving")] == [False, True]


@pytest.mark.parametrize(("place", "expected"), [(16, True), (60, True), (64, False)])
def test_a_film_named_as_a_picture_moves_where_one_of_its_first_brands_says_so(tmp_path, place, expected):
    box = b"\0\0\0\x50ftyp" + b"iso8" * 18
    (tmp_path / "a.avif").write_bytes(box[:place] + b"avis" + box[place + 4 :])
    assert moves(tmp_path / "a.avif") is expected


def test_a_page_that_is_named_like_a_picture_does_not_move(tmp_path):
    for name, data in (("a.png", b"<html>"), ("b.png", b"")):
        (tmp_path / name).write_bytes(data)
        assert not moves(tmp_path / name)


@pytest.mark.parametrize(("codec", "expected"), [("theora", True), ("vorbis", False)])
def test_an_ogg_moves_where_there_is_a_film_in_it(tmp_path, codec, expected):
    mark = b"\x80theora" if codec == "theora" else b"\x01vorbis"
    (tmp_path / "a.ogg").write_bytes(b"OggS\x00\x02" + bytes(20) + b"\x01\x2a" + mark + bytes(60))
    assert moves(tmp_path / "a.ogg") is expected


def test_counts_are_told_in_words():
    assert (
        told({"picture": 2, "text": 1, "archive": 0, "system file": 1200}) == "2 pictures, 1 text, 1,200 system files"
    )
