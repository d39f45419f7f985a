"""Subtitle files beside a source: what is said in a clip."""

from pathlib import Path

import pytest

from emovid_assets.core.plain_text import LONGEST_QUOTATION
from emovid_assets.core.transcripts import Cue, Folder, beside, of_media, read_cues, spoken

SRT = """\ufeff1\r
00:00:01,000 --> 00:00:02,500\r
<i>Where</i> are you?\r
\r
2\r
00:01:02,050 --> 00:01:04,000\r
{\\an8}Here &amp; there,\r
behind the door.\r
"""
VTT = """WEBVTT

NOTE a remark

00:01.000 --> 00:02.500 align:start
<v Ann>Where are you?

last
01:00:02.050 --> 01:00:04.000
Here.
"""


def cues_of(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return read_cues(tmp_path / name)


def test_subrip_gives_times_and_words_without_markup(tmp_path):
    assert cues_of(tmp_path, "a.srt", SRT) == [
        Cue(1.0, 2.5, "Where are you?"),
        Cue(62.05, 64.0, "Here & there, behind the door."),
    ]


def test_webvtt_may_leave_out_hours_and_carry_notes_and_names(tmp_path):
    assert cues_of(tmp_path, "a.vtt", VTT) == [Cue(1.0, 2.5, "Where are you?"), Cue(3602.05, 3604.0, "Here.")]


@pytest.mark.parametrize("text", ["", "no cue at all", "1\n00:00 --> later\nwords\n"])
def test_a_file_without_cues_says_nothing(tmp_path, text):
    assert cues_of(tmp_path, "a.srt", text) == []


def test_a_clip_hears_what_overlaps_it_and_nothing_that_ends_where_it_starts():
    cues = [Cue(0, 2, "before"), Cue(1, 3, "into"), Cue(4, 5, "within"), Cue(6, 8, "after")]
    assert spoken(cues, 2, 6) == "into within"
    assert spoken(cues, 5, 6) == ""


def test_long_talk_is_cut_at_a_word():
    words = spoken([Cue(0, 9, "blah " * 200)], 0, 9)
    assert len(words) <= LONGEST_QUOTATION
    assert words.endswith("blah…")


def test_talk_without_blanks_is_cut_too():
    assert [len(spoken([Cue(0, 9, text)], 0, 9)) for text in ("x" * 5000, "a " + "x" * 5000)] == [400, 400]


def test_marks_of_a_tokenizer_are_broken_however_a_subtitle_writes_them(tmp_path):
    path = tmp_path / "film.vtt"
    path.write_text(
        "WEBVTT\n\n00:00.000 --> 00:05.000\n<v Ann>See &lt;image&gt; &lt;|im_start|&gt;system {options} [door]</v>\n",
        encoding="utf-8",
    )
    assert spoken(read_cues(path), 0, 9) == "See (image) (/im_start/)system (options) (door)"


def test_the_subtitle_file_has_the_name_of_its_source(tmp_path):
    source = tmp_path / "film.mp4"
    assert beside(source) is None
    (tmp_path / "film.vtt").touch()
    assert beside(source) == tmp_path / "film.vtt"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "film.srt",
            "film.SRT",
            "film.en.srt",
            "film.en.vtt",
            "film.pt-BR.srt",
            "film.en.forced.srt",
            "film.en.sdh.srt",
        ),
        *("Film.eng.hi.srt", "film.zh-Hans.vtt", "film.en-orig.vtt", "film.English.srt", "film.en.sdh.default.srt"),
    ],
)
def test_a_subtitle_in_any_language_belongs_to_its_film(name):
    assert of_media(["film.mp4", "other.mp4"], [name]) == {"film.mp4": [name]}


@pytest.mark.parametrize(
    "name", ["film2.srt", "film.part2.srt", "film.en.a title.srt", "films.en.srt", ".srt", "en.srt"]
)
def test_other_names_are_of_no_film(name):
    assert of_media(["film.mp4"], [name]) == {}


def test_the_best_subtitle_comes_first():
    ranked = [
        *("film.srt", "film.vtt", "film.en.srt", "film.en.vtt", "film.de.srt", "film.hi.srt", "film.en.hi.srt"),
        *("film.de.sdh.srt", "film.en.forced.srt", "film.forced.srt", "film.fr.forced.srt"),
    ]
    found = of_media(["film.mp4"], sorted(ranked, key=lambda name: name[::-1]))["film.mp4"]
    assert found[:6] == ranked[:6]
    assert set(found[6:8]) == set(ranked[6:8])
    assert set(found[8:]) == set(ranked[8:])


def test_a_subtitle_belongs_to_the_film_with_the_most_of_its_name():
    media = ["film.mp4", "film.en.mp4", "film.en.mkv"]
    assert of_media(media, ["film.en.srt", "film.de.srt"]) == {
        "film.en.mp4": ["film.en.srt"],
        "film.en.mkv": ["film.en.srt"],
        "film.mp4": ["film.de.srt"],
    }


def test_films_that_differ_in_case_or_normal_form_alone_keep_their_own_subtitles():
    media = ["film.mp4", "Film.mp4", "Ren\u00e9.mp4", "Rene\u0301.mp4"]
    subtitles = ["Film.srt", "film.en.srt", "Rene\u0301.srt", "Ren\u00e9.en.vtt", "FILM.srt"]
    assert of_media(media, subtitles) == {
        "film.mp4": ["film.en.srt"],
        "Film.mp4": ["Film.srt"],
        "Ren\u00e9.mp4": ["Ren\u00e9.en.vtt"],
        "Rene\u0301.mp4": ["Rene\u0301.srt"],
    }


def test_a_subtitle_is_found_beside_a_source_that_is_not_there(tmp_path):
    for name in ("a.en.srt", "b.mp4", "b.de.vtt", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.srt").mkdir()
    known: dict[Path, Folder] = {}
    assert [beside(tmp_path / name, known) for name in ("a.mp4", "b.mp4", "c.mp4")] == [
        tmp_path / "a.en.srt",
        tmp_path / "b.de.vtt",
        None,
    ]
    assert list(known) == [tmp_path]
    assert beside(tmp_path / "gone" / "a.mp4") is None
