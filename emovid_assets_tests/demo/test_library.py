import csv
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scenedetect import AdaptiveDetector, detect

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.demo.encoding import write_gif
from emovid_assets.demo.films import FPS, plan_scenes
from emovid_assets.demo.library import MANIFEST_COLUMNS, TEXT_NAMED_VIDEO, TRUNCATED_FILM, make_library
from emovid_assets.demo.stickers import Sticker, write_sticker
from emovid_assets.demo.truth import Span, Truth


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("demo")
    make_library(home, size="small")
    return home


def _paths(truth: Truth, domain: str) -> list[str]:
    return [path for path in truth.files if path.startswith(f"{domain}/")]


def _manifest(home: Path, domain: str) -> list[dict[str, str]]:
    with (home / "library" / domain / "manifest.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == MANIFEST_COLUMNS
        return list(reader)


def _snapshot(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}


def test_the_small_library_has_three_films_eight_shorts_and_sixteen_stickers(small_home: Path) -> None:
    truth = Truth.load(small_home)
    assert [len(_paths(truth, domain)) for domain in ("movie", "animation", "sticker")] == [3, 8, 16]
    listed = set(truth.files) | set(truth.others)
    on_disk = {str(p.relative_to(small_home / "library")) for p in (small_home / "library").rglob("*") if p.is_file()}
    assert on_disk == listed


def test_every_film_has_four_scenes_that_are_long_enough_and_one_film_has_a_short_one(small_home: Path) -> None:
    truth = Truth.load(small_home)
    scenes = [truth.files[path] for path in _paths(truth, "movie")]
    durations = [[span.end_s - span.start_s for span in film] for film in scenes]
    assert [sum(4.0 <= d <= 30.0 for d in film) for film in durations] == [4, 4, 4]
    assert [sum(d < 4.0 for d in film) for film in durations] == [1, 0, 0]


def test_the_cuts_that_pyscenedetect_finds_are_the_true_ones(small_home: Path) -> None:
    truth = Truth.load(small_home)
    for path in _paths(truth, "movie"):
        found = detect(str(small_home / "library" / path), AdaptiveDetector())
        starts = [round(scene[0].seconds * FPS) for scene in found]
        assert starts == [round(span.start_s * FPS) for span in truth.files[path]], path


def test_no_cut_is_found_within_a_cartoon_short(small_home: Path) -> None:
    for path in _paths(Truth.load(small_home), "animation"):
        assert len(detect(str(small_home / "library" / path), AdaptiveDetector())) <= 1


def test_films_and_shorts_have_sound_that_lasts_as_long_as_the_picture(small_home: Path) -> None:
    truth = Truth.load(small_home)
    for path in _paths(truth, "movie") + _paths(truth, "animation"):
        with av.open(str(small_home / "library" / path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            length_s = float(video.duration * video.time_base)
            assert length_s == pytest.approx(truth.files[path][-1].end_s, abs=1e-3)
            assert float(audio.duration * audio.time_base) == pytest.approx(length_s, abs=0.15)


def test_stickers_are_animated_transparent_and_have_the_delays_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    has_varying_delays = set()
    for seed in range(6):
        sticker = Sticker(np.random.default_rng(seed), "fear")
        frames = [sticker.frame(index) for index in range(len(sticker.delays_ms))]
        write_gif(path, frames, sticker.delays_ms)
        with Image.open(path) as gif:
            assert gif.is_animated
            delays = []
            for index in range(gif.n_frames):
                gif.seek(index)
                delays.append(gif.info["duration"])
                assert gif.disposal_method == 2
                alpha = np.asarray(gif.convert("RGBA"))[..., 3]
                np.testing.assert_array_equal(alpha, frames[index][..., 3])
                assert 0.05 < (alpha == 0).mean() < 0.95
        assert delays == sticker.delays_ms
        has_varying_delays.add(len(set(delays)) > 1)
    assert has_varying_delays == {True, False}


def test_the_stickers_of_the_library_last_as_long_as_the_truth_says(small_home: Path) -> None:
    truth = Truth.load(small_home)
    for path in _paths(truth, "sticker"):
        with av.open(str(small_home / "library" / path)) as container:
            frames = [(frame.pts, frame.duration, frame.time_base) for frame in container.decode(video=0)]
        assert len(frames) > 1
        end = float((frames[-1][0] + frames[-1][1]) * frames[-1][2])
        assert end == pytest.approx(truth.files[path][0].end_s, abs=0.011), path


def test_one_sticker_of_the_small_library_shows_another_emotion_than_it_is_filed_under(small_home: Path) -> None:
    truth = Truth.load(small_home)
    rows = _manifest(small_home, "sticker")
    assert Counter(row["intended_emotion"] for row in rows) == dict.fromkeys(EMOTION_NAMES, 2)
    wrong = [row for row in rows if truth.files[f"sticker/{row['path']}"][0].emotion != row["intended_emotion"]]
    assert len(wrong) == 1


def test_manifests_list_every_good_file_and_no_damaged_one(small_home: Path) -> None:
    truth = Truth.load(small_home)
    for domain in ("movie", "animation", "sticker"):
        rows = _manifest(small_home, domain)
        assert [f"{domain}/{row['path']}" for row in rows] == _paths(truth, domain)
        assert {row["license"] for row in rows} == {"CC0-1.0"}
        assert len({row["external_id"] for row in rows}) == len(rows)


def test_two_files_are_halves_of_one_film(small_home: Path) -> None:
    positions = [(row["film_id"], row["film_position"]) for row in _manifest(small_home, "movie")]
    assert positions == [("demo-film-01", ""), ("demo-film-02", "1"), ("demo-film-02", "2")]


def test_the_interrupted_download_opens_but_lacks_most_of_its_frames(small_home: Path) -> None:
    with av.open(str(small_home / "library" / TRUNCATED_FILM)) as container:
        stream = container.streams.video[0]
        promised, read = stream.frames, 0
        try:
            for _ in container.decode(stream):
                read += 1
        except av.error.FFmpegError:
            pass
    assert promised == 104
    assert 10 < read < 90


def test_the_text_with_a_video_name_is_no_video(small_home: Path) -> None:
    with pytest.raises(av.error.InvalidDataError):
        av.open(str(small_home / "library" / TEXT_NAMED_VIDEO))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sticker(tmp_path / f"{name}.gif", seed, "sticker", "awe")
    first, again, other = ((tmp_path / f"{name}.gif").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_a_whole_library_made_again_has_the_same_bytes(small_home: Path, tmp_path: Path) -> None:
    make_library(tmp_path, size="small")
    assert _snapshot(tmp_path) == _snapshot(small_home)


def test_a_complete_library_is_left_alone_and_an_incomplete_one_is_made_again(small_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(small_home, home)
    calls: list[tuple[str, int, int]] = []

    def note(stage: str, done: int, total: int) -> None:
        calls.append((stage, done, total))

    truth = make_library(home, size="small", progress=note)
    assert calls == []
    assert truth == Truth.load(small_home)
    (home / "library" / TEXT_NAMED_VIDEO).unlink()
    make_library(home, size="small", progress=note)
    assert (home / "library" / TEXT_NAMED_VIDEO).exists()
    assert Counter(stage for stage, _, _ in calls) == {"movie": 3, "animation": 8, "sticker": 16}
    assert calls[0] == ("movie", 1, 3)


def test_a_manifest_of_someone_else_is_not_overwritten(tmp_path: Path) -> None:
    manifest = tmp_path / "library" / "movie" / "manifest.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("path,title\nmine.mp4,Mine\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match="another home"):
        make_library(tmp_path, size="small")
    assert manifest.read_text(encoding="utf-8") == "path,title\nmine.mp4,Mine\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [manifest]


def test_a_home_with_films_of_ones_own_gets_no_demo_films_among_them(tmp_path: Path) -> None:
    own = tmp_path / "library" / "sticker" / "own" / "cat.gif"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"GIF89a")
    with pytest.raises(FileExistsError, match=r"files of your own \(library/sticker/own/cat.gif\)"):
        make_library(tmp_path, size="small")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [own]


def test_a_demo_library_to_which_somebody_has_added_a_film_is_not_made_again(small_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(small_home, home)
    (home / "library" / "movie" / "mine.mp4").write_bytes(b"mine")
    before = _snapshot(home)
    with pytest.raises(FileExistsError, match=r"mine\.mp4"):
        make_library(home, size="full")
    assert _snapshot(home) == before


def test_a_demo_that_was_killed_while_it_drew_goes_on(small_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(small_home, home)
    Truth.path_in(home).unlink()
    for manifest in (home / "library").rglob("manifest.csv"):
        manifest.unlink()
    make_library(home, size="small")
    assert _snapshot(home) == _snapshot(small_home)


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of full, small"):
        make_library(tmp_path, size="huge")  # type: ignore[arg-type]


def test_the_emotion_of_an_interval_is_that_of_the_scene_it_overlaps_most() -> None:
    truth = Truth("small", 7, {"movie/a.mp4": [Span(0.0, 5.0, "awe"), Span(5.0, 9.0, "fear")]})
    assert truth.emotion_at("movie/a.mp4", 0.0, 4.9) == "awe"
    assert truth.emotion_at("movie/a.mp4", 4.0, 7.0) == "fear"
    assert truth.emotion_at("movie/a.mp4", 4.0, 6.0) == "awe"
    with pytest.raises(KeyError, match="not a file of the demo"):
        truth.emotion_at("movie/b.mp4", 0.0, 1.0)
    with pytest.raises(ValueError, match="overlaps"):
        truth.emotion_at("movie/a.mp4", 9.0, 10.0)


def test_the_truth_survives_its_file(tmp_path: Path) -> None:
    truth = Truth("full", 3, {"sticker/awe/a.gif": [Span(0.0, 1.2, "awe")]}, ["movie/manifest.csv"])
    truth.save(tmp_path)
    assert Truth.load(tmp_path) == truth
    with pytest.raises(FileNotFoundError, match="emovid demo"):
        Truth.load(tmp_path / "elsewhere")


def test_emotions_persist_in_films_and_all_eight_occur() -> None:
    used: dict[str, int] = {}
    same = near = steps = 0
    positive = set(EMOTION_NAMES[:4])
    for seed in range(60):
        first = EMOTION_NAMES[seed % 8]
        plans = plan_scenes(np.random.default_rng(seed), 8, first, used, has_short_scene=False)
        for one, two in pairwise(plans):
            steps += 1
            same += one.emotion == two.emotion
            near += (one.emotion in positive) == (two.emotion in positive)
    assert 0.3 < same / steps < 0.6
    assert near / steps > 0.65
    assert min(used[name] for name in EMOTION_NAMES) > 0.8 * 60
