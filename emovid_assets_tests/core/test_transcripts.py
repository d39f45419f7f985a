"""Subtitle files beside a source: what is said in a clip."""

import pytest

from emovid_assets.core.transcripts import LONGEST, Cue, beside, read_cues, spoken

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
    assert len(words) <= LONGEST
    assert words.endswith("blah…")


def test_the_subtitle_file_has_the_name_of_its_source(tmp_path):
    source = tmp_path / "film.mp4"
    assert beside(source) is None
    (tmp_path / "film.vtt").touch()
    assert beside(source) == tmp_path / "film.vtt"
