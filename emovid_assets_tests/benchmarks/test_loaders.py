"""The table of programs that read clip files: numbers in pictures and sound, verdicts, a run of the cheap readers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import loaders
from benchmarks.loader_films import Clip, clips_of
from benchmarks.loader_readers import READERS
from benchmarks.loaders import (
    HAS_READERS,
    OURS,
    READERS_PYTHON,
    faults,
    python_for,
    read_all,
    sound_offset_s,
    tables,
    verdicts,
)
from benchmarks.numbered import SOUND_RATE, barcode, beeps, heard, number_in
from emovid_assets_tests.browser import FIREFOX

CLIP = Clip("H.264", "off", "copy", Path("clip.mp4"), 55, tuple(n / 25 for n in range(50)), 2.2, "copied, 16 hidden")
RIGHT = {"pictures": CLIP.numbers, "count": 50, "at_places": [55, 56, 62, 75, 85, 104], "sound": [6, 0.2]}


@given(st.integers(0, 1023), st.integers(-20, 20))
def test_a_picture_says_its_number_in_colour_and_in_grey_through_losses(number, loss):
    picture = np.clip(barcode(number).astype(int) + loss, 0, 255).astype(np.uint8)
    assert number_in(picture) == number_in(picture[:, :, 1]) == number


@pytest.mark.parametrize("cut_s", [0.0, 0.41, 1.0, 2.2])
def test_sound_tells_which_beep_begins_first_and_when(cut_s):
    beep, begins_s = heard(beeps(6.4)[round(cut_s * SOUND_RATE) :], SOUND_RATE)
    # What is under way at the cut does not begin there.
    assert beep == {0.0: 1, 0.41: 2, 1.0: 3, 2.2: 6}[cut_s]
    assert begins_s == pytest.approx(beep * 0.4 - cut_s, abs=0.001)
    assert heard(np.zeros(SOUND_RATE, np.float32), SOUND_RATE) is None


def test_a_reader_that_reads_the_clip_has_no_fault():
    assert faults(CLIP, RIGHT) == []
    assert sound_offset_s(CLIP, RIGHT) == pytest.approx(0)
    eighths = [55, 61, 67, 73, 80, 86, 92, 98]
    assert faults(CLIP, {"first": 55, "last": 104, "shown": [55, 57, 104], "eighths": eighths}) == []


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"error": "KeyError: 5"}, ["no reading (KeyError: 5)"]),
        ({"pictures": []}, ["no picture", "gives 0 of 50"]),
        ({"pictures": list(range(40, 105))}, ["first 40 for 55", "gives 65 of 50"]),
        ({"pictures": list(range(55, 104))}, ["last 103 for 104", "gives 49 of 50"]),
        ({"pictures": [55, *range(57, 104), 56, 104]}, ["pictures out of order"]),
        ({"count": 66}, ["says 66 of 50"]),
        ({"at_places": [55, 56, 62, 75, 90, -1]}, ["picture 30: 90 for 85"]),
        ({"at_times": [55, 56, 62, 75, 85, -1]}, ["at 1.98 s: none for 104"]),
        ({"eighths": [55, 61, 67, 73, 80]}, ["5 of 8 asked for"]),
        ({"shown": [55, 41, 60]}, ["shows 41"]),
        ({"shown": [55, 70, 60]}, ["goes back while playing"]),
        ({"sound": [6, 0.26]}, ["sound +60 ms"]),
        ({"sound": None}, ["no sound"]),
    ],
)
def test_what_is_read_otherwise_is_named_with_both_numbers(answer, found):
    assert faults(CLIP, answer) == found


def test_the_tables_count_right_clips_and_say_what_is_wrong_with_the_others():
    clips = [replace(CLIP, cut="whole", way="film"), replace(CLIP, cut="on"), CLIP]
    one_too_many = {"count": 66}
    made = tables(clips, {"decord": [RIGHT, RIGHT, one_too_many], "PyAV": [RIGHT] * 3}, ["copy"])
    assert "| decord | 1 right | 1 right, 1 wrong |" in made["loaders"]
    assert "| PyAV | 1 right | 2 right |" in made["loaders"]
    assert "| all | 2 right | 3 right, 1 wrong |" in made["loaders"]
    assert "| PyAV | 0 |" in made["loader-sound"]
    assert "- **H.264**\n  - decord — off: says 66 of 50" in made["loader-details"]
    assert "| H.264 | off, 55–104 | copied, 16 hidden |" in made["clips-made"]


@pytest.mark.parametrize(
    ("of_film", "of_clip", "is_as_the_film"),
    [
        ({"count": 0}, {"count": 66}, True),
        ({"error": "StopIteration: "}, {"error": "StopIteration: "}, True),
        ({"pictures": [], "count": 50}, {"pictures": []}, True),
        (RIGHT, {"count": 66}, False),
        ({"count": 0}, {"count": 66, "first": 40}, False),
        ({"at_times": [55, 56, 62, 75, 85, -1]}, {"at_times": [55, 56, 62, 75, 85, 103]}, False),
        ({"count": 0}, RIGHT, False),
    ],
)
def test_a_clip_is_wrong_as_the_film_is_where_the_film_has_all_its_faults_with_other_numbers(
    of_film, of_clip, is_as_the_film
):
    clips = [CLIP, replace(CLIP, cut="whole", way="film")]
    found, _ = verdicts(clips, [of_clip, of_film])
    assert found.is_as_the_film is is_as_the_film


def test_a_reader_that_hangs_on_a_file_is_asked_for_the_ones_behind_it(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho '{\"count\": 50}'\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(loaders, "WAIT_S", 1)
    found = loaders.ask("hanging", str(program), None, [CLIP] * 3)
    assert found == [{"count": 50}, {"error": "nothing in 1 s"}, {"count": 50}]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    made = clips_of("H.264", tmp_path_factory.mktemp("films"), ["exact", "encode"])
    assert [clip.made.split()[0] for clip in made] == ["drawn", "joined", "joined", "encoded", "encoded"]
    return made


@pytest.mark.integration
def test_what_we_read_with_ourselves_reads_joined_and_encoded_clips_right(clips):
    ours = [name for name, (needs, _) in READERS.items() if OURS.issuperset(needs)]
    read, absent = read_all(ours, clips)
    assert (list(read), absent) == (ours, [])
    for name, answers in read.items():
        assert (name, [faults(clip, answer) for clip, answer in zip(clips, answers, strict=True)]) == (name, [[]] * 5)


@pytest.mark.integration
@pytest.mark.skipif(not HAS_READERS, reason="no .venv-readers: make readers")
@pytest.mark.parametrize("name", ["decord", "torchcodec, exact", "imageio, PyAV", "transformers, OpenCV"])
def test_what_people_train_with_reads_joined_and_encoded_clips_right(clips, name):
    assert python_for(READERS[name][0]) == str(READERS_PYTHON)
    read, _ = read_all([name], clips)
    assert [faults(clip, answer) for clip, answer in zip(clips, read[name], strict=True)] == [[]] * 5


@pytest.mark.integration
@pytest.mark.skipif(FIREFOX is None, reason="no Firefox")
def test_firefox_shows_joined_clips_from_their_first_picture_to_their_last(clips):
    joined = [clip for clip in clips if clip.way == "exact"]
    read, silent = read_all(["Firefox"], joined)
    assert not silent, "Firefox shows no H.264: it needs the system's libavcodec (Debian: libavcodec-extra)"
    assert [faults(clip, answer) for clip, answer in zip(joined, read["Firefox"], strict=True)] == [[]] * 2
