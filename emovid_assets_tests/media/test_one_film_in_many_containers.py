"""One film tells one story: the same clips, colours and sound from whichever container it lies in."""

import subprocess

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets_tests.media.scanning import probe, scan

SCENES = (("red", 440), ("0x208040", 880), ("0x4060c0", 1320), ("0xc0a020", 1760))
"""Five seconds each: a colour under noise, and a tone."""


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """20 s, 320×180, 25 Hz, H.264 with B-frames and AAC, in Matroska."""
    path = tmp_path_factory.mktemp("master") / "film.mkv"
    command = [get_ffmpeg_exe(), "-v", "error", "-y"]
    for colour, hertz in SCENES:
        command += ["-f", "lavfi", "-i", f"color=c={colour}:s=320x180:r=25:d=5,noise=alls=12:allf=t:all_seed=7"]
        command += ["-f", "lavfi", "-i", f"sine=frequency={hertz}:sample_rate=48000:duration=5"]
    joined = "".join(f"[{2 * index}:v][{2 * index + 1}:a]" for index in range(len(SCENES)))
    command += ["-filter_complex", f"{joined}concat=n={len(SCENES)}:v=1:a=1[v][a]", "-map", "[v]", "-map", "[a]"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*command, str(path)], check=True)
    return path


CONTAINERS = {
    "mkv": (),
    "mp4": (),
    "mov": (),
    "ts": (),
    "fragmented.mp4": ("-movflags", "frag_keyframe+empty_moov+default_base_moof"),
    "flv": (),
}


def story_of(path):
    facts = probe(path)
    scanned = scan(path, tracks=facts.tracks)
    return facts, scanned["segments"]


@pytest.fixture(scope="module")
def expected(master):
    return story_of(master)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_film_gives_the_same_clips_colours_and_sound(master, expected, tmp_path, name):
    path = tmp_path / f"film.{name}"
    subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(master), "-c", "copy", *CONTAINERS[name], str(path)],
        check=True,
    )
    facts, segments = story_of(path)
    assert (facts.frame_count, facts.fps, facts.duration_s) == (500, pytest.approx(25), pytest.approx(20.0))
    assert [(s["start_frame"], s["end_frame"]) for s in segments] == [(0, 125), (125, 250), (250, 375), (375, 500)]
    for segment, other in zip(segments, expected[1], strict=True):
        assert segment["is_kept"]
        assert segment["clip_id"] == other["clip_id"]
        assert colour_attributes(ColourSums(*segment["colour"])) == colour_attributes(ColourSums(*other["colour"]))
        assert segment["has_audio"]
        assert segment["sound_missing_s"] == pytest.approx(0.0, abs=0.05)
        features, others = segment["features"], other["features"]
        assert features["loudness_db"] == pytest.approx(others["loudness_db"], abs=0.1)
        assert features["spectral_centroid_hz"] == pytest.approx(others["spectral_centroid_hz"], abs=15)
        assert np.allclose(features["band_shares"], others["band_shares"], atol=0.01)


def test_the_tone_of_each_scene_is_heard_in_its_clip(expected):
    centroids = [segment["features"]["spectral_centroid_hz"] for segment in expected[1]]
    assert centroids == pytest.approx([hertz for _, hertz in SCENES], rel=0.03)
