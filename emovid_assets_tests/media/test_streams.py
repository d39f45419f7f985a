"""Which of a file's streams are its film: the moving one that is meant, and the sound that a viewer hears.

`EMOVID_STREAM_EXAMPLES` sets how many random files are tried.
"""

import os
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.streams import is_same_language
from emovid_assets_tests.media.making import SOUND_RATE, coded
from emovid_assets_tests.media.scanning import clip_of, probe, scan

DISPOSITION = av.stream.Disposition


def film_of(path, *pictures, sounds=(), seconds=2):
    """Writes streams. `pictures`: (count, width, height, codec, disposition); `sounds`: (hertz, disposition, metadata),
    of no samples where `hertz` is null."""
    with av.open(str(path), "w") as output:
        streams = []
        for count, width, height, codec, disposition in pictures:
            stream = output.add_stream(codec, rate=25)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = disposition
            streams.append((stream, count))
        heard = []
        for hertz, disposition, metadata in sounds:
            stream = output.add_stream("aac", rate=SOUND_RATE, layout="mono")
            stream.disposition = disposition
            stream.metadata.update(metadata)
            heard.append((stream, hertz))
        for stream, count in streams:
            for index in range(count):
                picture = av.VideoFrame.from_ndarray(coded(index, stream.height, stream.width), "rgb24")
                picture.pts = index
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))
        for stream, hertz in heard:
            if hertz is None:
                continue
            tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(seconds * SOUND_RATE) / SOUND_RATE)
            for offset in range(0, len(tone), 1024):
                block = np.ascontiguousarray(tone[None, offset : offset + 1024].astype(np.float32))
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = SOUND_RATE, offset
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return path


def hertz_of(path: Path, index: int) -> float:
    """The loudest tone of a stream, by the discrete Fourier transform of what PyAV decodes."""
    with av.open(str(path)) as container:
        stream = container.streams[index]
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        return float(np.abs(np.fft.rfft(samples)).argmax() * stream.rate / len(samples))


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
@pytest.mark.parametrize(("codec", "flag"), [("mjpeg", 0), ("mjpeg", DISPOSITION.default), ("libx264", 0)])
def test_a_still_beside_a_film_is_not_the_film_however_large_it_is(tmp_path, suffix, codec, flag):
    path = film_of(tmp_path / f"phone.{suffix}", (1, 192, 144, codec, flag), (58, 96, 72, "libx264", 0))
    facts = probe(path)
    assert (facts.tracks.video_index, facts.width_px, facts.frame_count) == (1, 96, 58)
    assert facts.fps == pytest.approx(25)
    assert scan(path, whole=True, tracks=facts.tracks)["frame_count"] == 58


def test_a_file_of_stills_alone_is_a_single_image(tmp_path):
    path = film_of(tmp_path / "stills.mkv", (1, 64, 48, "mjpeg", 0), (1, 32, 24, "mjpeg", 0))
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert caught.value.code == "single_image"


def test_of_several_films_the_default_one_counts_then_the_longest_then_the_largest(tmp_path):
    def chosen(*pictures):
        return probe(film_of(tmp_path / "film.mkv", *pictures)).tracks.video_index

    default = DISPOSITION.default
    assert chosen((20, 96, 72, "libx264", 0), (20, 32, 24, "libx264", default)) == 1
    assert chosen((20, 96, 72, "libx264", default), (40, 32, 24, "libx264", default)) == 1
    # A tenth more or less is the same film.
    assert chosen((37, 96, 72, "libx264", default), (40, 32, 24, "libx264", default)) == 0
    assert chosen((40, 32, 24, "libx264", default), (40, 96, 72, "libx264", default)) == 1


FLAGGED = [DISPOSITION.comment, DISPOSITION.visual_impaired, DISPOSITION.hearing_impaired, DISPOSITION.dub]


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("first", [(440, 0, {}), *((440, flag, {}) for flag in FLAGGED)], ids=str)
def test_the_sound_is_the_one_that_a_viewer_hears(tmp_path, suffix, first):
    second = (880, DISPOSITION.default, {})
    path = film_of(tmp_path / f"film.{suffix}", (50, 64, 48, "libx264", 0), sounds=(first, second))
    facts = probe(path)
    assert (facts.audio_track_index, facts.audio_track_count) == (1, 2)
    with av.open(str(path)) as container:
        best = container.streams.best("audio")
        assert best.index == facts.tracks.audio_index
    assert hertz_of(path, facts.tracks.audio_index) == pytest.approx(880, abs=2)
    clip_of(path, tmp_path / "clip.mp4", whole=True, tracks=facts.tracks)
    assert hertz_of(tmp_path / "clip.mp4", 1) == pytest.approx(880, abs=2)


@pytest.mark.parametrize("larger", [0, 1])
def test_the_sound_of_a_broadcast_is_that_of_the_program_whose_picture_is_watched(tmp_path, larger):
    size = [(64, 48), (128, 96)] if larger else [(128, 96), (64, 48)]
    pictures = [(50, width, height, "libx264", 0) for width, height in size]
    source = film_of(tmp_path / "source.mkv", *pictures, sounds=((440, 0, {}), (880, 0, {})))
    path = tmp_path / "film.ts"
    programs = ["-program", "title=one:st=0:st=2", "-program", "title=two:st=1:st=3"]
    command = [get_ffmpeg_exe(), "-v", "error", "-i", source, "-map", "0", "-c", "copy", *programs, path]
    subprocess.run(command, check=True)
    facts = probe(path)
    assert facts.width_px == 128
    assert hertz_of(path, facts.tracks.audio_index) == pytest.approx((440, 880)[larger], abs=2)


def test_a_default_commentary_gives_way_to_any_other_sound(tmp_path):
    aside = DISPOSITION.default | DISPOSITION.comment
    path = film_of(
        tmp_path / "film.mkv", (10, 64, 48, "libx264", 0), sounds=((440, aside, {}), (880, 0, {"title": "Stereo"}))
    )
    assert probe(path).audio_track_index == 1


def test_a_commentary_that_only_its_title_names_is_none_too(tmp_path):
    sounds = ((440, 0, {"title": "Director's Commentary"}), (880, 0, {"title": "Surround"}))
    assert probe(film_of(tmp_path / "f.mkv", (10, 64, 48, "libx264", 0), sounds=sounds)).audio_track_index == 1
    alone = film_of(tmp_path / "alone.mkv", (10, 64, 48, "libx264", 0), sounds=sounds[:1])
    assert probe(alone).audio_track_index == 0


def test_the_language_that_is_asked_for_comes_first(tmp_path):
    sounds = (
        (440, DISPOSITION.default, {"language": "jpn"}),
        (660, DISPOSITION.comment, {"language": "eng"}),
        (880, DISPOSITION.dub, {"language": "eng"}),
    )
    path = film_of(tmp_path / "film.mkv", (10, 64, 48, "libx264", 0), sounds=sounds)
    assert probe_file(path).audio_track_index == 0
    assert [probe_file(path, audio_language=name).audio_track_index for name in ("en", "eng", "EN-us")] == [2, 2, 2]
    assert probe_file(path, audio_language="fr").audio_track_index == 0


def test_an_empty_track_is_passed_over(tmp_path):
    sounds = ((None, DISPOSITION.default, {}), (880, 0, {}))
    facts = probe(film_of(tmp_path / "film.mkv", (50, 64, 48, "libx264", 0), sounds=sounds))
    assert (facts.audio_track_index, facts.audio_track_count, facts.has_audio) == (1, 2, True)


def test_a_film_whose_only_sound_is_empty_has_none(tmp_path):
    path = film_of(tmp_path / "film.mkv", (50, 64, 48, "libx264", 0), sounds=((None, 0, {}),))
    facts = probe(path)
    assert (facts.has_audio, facts.audio_track_count, facts.tracks.audio_index) == (False, 1, None)
    segment = scan(path, whole=True, tracks=facts.tracks)["segments"][0]
    written = write_clip(path, facts.tracks, {**segment, "video_start_s": 0.0}, tmp_path / "clip.mp4")
    assert (segment["has_audio"], written.audio_codec) == (False, None)


@pytest.mark.parametrize(
    ("tag", "wanted", "same"),
    [("eng", "en", True), ("de", "ger", True), ("zh-Hans", "chi", True), ("fr", "es", False), ("", "en", False)],
)
def test_codes_of_one_language_are_one(tag, wanted, same):
    assert is_same_language(tag, wanted) is same


def test_the_moving_track_of_an_animated_avif_is_taken(tmp_path):
    path = tmp_path / "sticker.avif"
    pictures = [Image.fromarray(coded(index, 48, 64)) for index in range(12)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    facts = probe(path)
    assert (facts.frame_count, facts.duration_s) == (12, pytest.approx(1.2))


FLAGS = st.sampled_from((0, DISPOSITION.default, *FLAGGED, DISPOSITION.default | DISPOSITION.comment))
PICTURES = st.tuples(
    st.sampled_from((1, 2, 10, 19, 20)), st.sampled_from((16, 32, 48)), st.sampled_from((0, DISPOSITION.default))
)
SOUNDS = st.tuples(st.booleans(), FLAGS, st.sampled_from(("", "eng", "jpn")))


def judged_film(pictures):
    """The number of the film, by striking out one after the other; null where there are stills alone."""
    left = [number for number, (count, _, _) in enumerate(pictures) if count > 1]
    if any(pictures[number][2] & DISPOSITION.default for number in left):
        left = [number for number in left if pictures[number][2] & DISPOSITION.default]
    if not left:
        return None
    longest = sorted(pictures[number][0] for number in left)[-1]
    left = [number for number in left if 10 * pictures[number][0] >= 9 * longest]
    widest = sorted(pictures[number][1] for number in left)[-1]
    return next(number for number in left if pictures[number][1] == widest)


def judged_sound(sounds, language):
    """The number of the sound, by asking for less and less."""
    filled = [number for number, (is_filled, _, _) in enumerate(sounds) if is_filled]
    aside = DISPOSITION.comment | DISPOSITION.visual_impaired | DISPOSITION.hearing_impaired
    wishes = (
        lambda number: not sounds[number][1] & aside,
        lambda number: not language or sounds[number][2] == language,
        lambda number: not sounds[number][1] & DISPOSITION.dub,
        lambda number: sounds[number][1] & DISPOSITION.default,
    )
    for wish in wishes:
        filled = [number for number in filled if wish(number)] or filled
    return filled[0] if filled else None


@settings(max_examples=int(os.environ.get("EMOVID_STREAM_EXAMPLES", "12")), deadline=None)
@given(
    pictures=st.lists(PICTURES, min_size=1, max_size=3),
    sounds=st.lists(SOUNDS, max_size=3),
    language=st.sampled_from(("", "eng", "jpn", "fra")),
    is_sound_first=st.booleans(),
)
def test_random_streams_are_chosen_as_the_rules_say(tmp_path_factory, pictures, sounds, language, is_sound_first):
    path = tmp_path_factory.getbasetemp() / "random_streams.mkv"
    with av.open(str(path), "w") as output:
        seen, heard = [], []
        for kind in ("sound", "picture") if is_sound_first else ("picture", "sound"):
            for number, values in enumerate(sounds if kind == "sound" else pictures):
                codec = "pcm_s16le" if kind == "sound" else "mpeg4"
                stream = output.add_stream(codec, rate=8000) if kind == "sound" else output.add_stream(codec, rate=25)
                if kind == "sound":
                    stream.layout, stream.disposition = "mono", values[1]
                    stream.metadata["language"] = values[2] or "und"
                    heard.append((stream, number))
                else:
                    stream.width, stream.height, stream.pix_fmt = values[1], 16, "yuv420p"
                    stream.disposition = values[2]
                    seen.append((stream, number))
        for stream, number in seen:
            for index in range(pictures[number][0]):
                picture = av.VideoFrame.from_ndarray(coded(index, 16, stream.width), "rgb24")
                picture.pts = index
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))
        for stream, number in heard:
            if sounds[number][0]:
                frame = av.AudioFrame.from_ndarray(np.ones((1, 800), np.int16), format="s16", layout="mono")
                frame.sample_rate, frame.pts = 8000, 0
                output.mux(stream.encode(frame))
    film = judged_film(pictures)
    if film is None:
        with pytest.raises(MediaError) as caught:
            probe_file(path)
        assert caught.value.code == "single_image"
        return
    facts = probe_file(path, audio_language=language)
    before = len(sounds) if is_sound_first else 0
    assert facts.tracks.video_index == before + film
    assert (facts.frame_count, facts.width_px) == pictures[film][:2]
    assert facts.audio_track_count == len(sounds)
    assert facts.audio_track_index == judged_sound(sounds, language)
    assert scan(path, whole=True, minimum=0.0, tracks=facts.tracks)["frame_count"] == facts.frame_count
