"""Videos that ran elsewhere: which prompt each stands for, and that every file that cannot be used is told of."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emovid_assets.core.generation.imported_names import Benchmark, named
from emovid_assets_tests.assets.homes import draw_gif
from emovid_assets_tests.generation.homes import Made, benchmark, clip_id, made, write_settings
from emovid_assets_tests.media.making import scenery, write_animation, write_video

FRAMES, FPS = 8, 8


def film(path: Path, codec: str = "libx264", seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, [scenery(seed, index) for index in range(FRAMES)], fps=FPS, codec=codec, pix_fmt="yuv420p")
    return path


def prompt_hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(row["prompt"].encode()).hexdigest()


def told(found: Made) -> dict[str, tuple[str, str]]:
    """(code, what was seen) by file below `library/generated`."""
    return {fault.path.removeprefix("library/generated/"): (fault.code, fault.detail) for fault in found.stage.faults}


def stands_for(found: Made) -> dict[str, tuple[str | None, str, int]]:
    """(clip, task, seed) by file below `library/generated`."""
    return {
        path.removeprefix("library/generated/"): (wanted.clip_id, wanted.task, wanted.seed)
        for wanted, path in found.stage.imports.videos.values()
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_settings(tmp_path)
    return tmp_path


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "library" / "generated"


def test_names_of_clips_and_of_prompts_say_what_a_video_stands_for(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=3)
    film(folder / "vc2" / f"{clip_id('movie', 0)}.mp4")
    film(folder / "vc2" / "i2v" / "night run" / f"{clip_id('movie', 0).upper()}-17.mp4", seed=1)
    film(folder / "vc2" / "t2v" / f"{prompt_hash(rows[1])[:16]}_seed3.mp4", seed=2)
    film(folder / "vc2" / f"{prompt_hash(rows[2])}.mp4", seed=3)
    assert stands_for(made(home, rows)) == {
        f"vc2/{clip_id('movie', 0)}.mp4": (clip_id("movie", 0), "t2v", 0),
        f"vc2/i2v/night run/{clip_id('movie', 0).upper()}-17.mp4": (clip_id("movie", 0), "i2v", 17),
        f"vc2/t2v/{prompt_hash(rows[1])[:16]}_seed3.mp4": (clip_id("movie", 1), "t2v", 3),
        f"vc2/{prompt_hash(rows[2])}.mp4": (clip_id("movie", 2), "t2v", 0),
    }


def test_any_container_is_read_and_its_own_facts_count(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=5)
    film(folder / "a" / f"{clip_id('movie', 0)}.mp4")
    film(folder / "a" / f"{clip_id('movie', 1)}.mkv", seed=1)
    film(folder / "a" / f"{clip_id('movie', 2)}.webm", "libvpx-vp9", seed=2)
    draw_gif(folder / "a" / f"{clip_id('movie', 3)}.gif", frame_count=5, delay_ms=100)
    pictures = [scenery(9, index) for index in range(6)]
    write_animation(folder / "a" / f"{clip_id('movie', 4)}.webp", pictures, [50] * 6)
    found = made(home, rows)
    facts = {
        wanted.clip_id: (found.imported[name]["frame_count"], round(found.imported[name]["duration_s"], 3))
        for name, (wanted, _) in found.stage.imports.videos.items()
    }
    assert facts == {
        clip_id("movie", 0): (8, 1.0),
        clip_id("movie", 1): (8, 1.0),
        clip_id("movie", 2): (8, 1.0),
        clip_id("movie", 3): (5, 0.5),
        clip_id("movie", 4): (6, 0.3),
    }
    first = next(iter(found.imported.values()))
    assert len(first["sha256"]) == 64
    assert made(home, rows).failures == []


def test_a_table_says_what_names_do_not(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=3)
    for number in range(3):
        film(folder / "dyn" / "out" / f"{number:04d}.mp4", seed=number)
    text = (
        "File;Clip ID;Prompt;Task;Seed;note\n"
        f"0000.mp4;{clip_id('movie', 0)};;i2v;5;first\n"
        f"0001.MP4;;{rows[1]['prompt']!s};;;\n"
        f"0002.mp4;;{prompt_hash(rows[2])[:20]};T2V;;\n"
        "0003.mp4;;;;;\n"
        f"0002.mp4;{clip_id('movie', 2)};;video;x;\n"
    )
    # Quotation marks of the prompt stand within a cell.
    text = text.replace(rows[1]["prompt"], '"' + rows[1]["prompt"].replace('"', '""') + '"')
    (folder / "dyn" / "out" / "videos.csv").write_text(text)
    found = made(home, rows)
    assert stands_for(found) == {
        "dyn/out/0000.mp4": (clip_id("movie", 0), "i2v", 5),
        "dyn/out/0001.mp4": (clip_id("movie", 1), "t2v", 0),
    }
    faults = told(found)
    assert faults["dyn/out/videos.csv"][0] == "manifest_unknown_column"
    assert faults["dyn/out/0003.mp4"] == ("manifest_missing_file", "library/generated/dyn/out/videos.csv:5 names it")
    assert faults["dyn/out/videos.csv:6"][0] == "manifest_invalid"
    assert "`task`" in faults["dyn/out/videos.csv:6"][1]
    assert "`seed`" in faults["dyn/out/videos.csv:6"][1]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a.mp4,{0},-4\n", {2: "not a whole number from 0 to 2^63 - 1; the video is not taken"}),
        ("a.mp4,{0},abc\n", {2: "not a whole number, such as 3; the video is not taken"}),
        ("a.mp4,{0},1\na.mp4,{1},1\n", {3: "stands in library/generated/x/videos.csv:2 too, with other cells"}),
        ("../y/b.mp4,{0},1\n", {2: "`file` is '../y/b.mp4', and a table speaks for its own folder only"}),
    ],
)
def test_a_row_that_cannot_be_meant_names_no_video(table: str, said: dict[int, str], home: Path, folder: Path) -> None:
    rows = benchmark(home, count=2)
    film(folder / "x" / "a.mp4")
    film(folder / "y" / "b.mp4", seed=1)
    text = table.format(clip_id("movie", 0), clip_id("movie", 1))
    (folder / "x" / "videos.csv").write_text(f"file,clip_id,seed\n{text}")
    found = made(home, rows)
    assert stands_for(found) == {}
    faults = told(found)
    for line, words in said.items():
        code, detail = faults[f"x/videos.csv:{line}"]
        assert code == "manifest_invalid"
        assert words in detail


def test_two_rows_that_say_the_same_are_one(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=1)
    film(folder / "x" / "a.mp4")
    row = f"a.mp4,{clip_id('movie', 0)}\n"
    (folder / "x" / "videos.csv").write_text(f"file,clip_id\n{row}{row}")
    found = made(home, rows)
    assert (stands_for(found), told(found)) == ({"x/a.mp4": (clip_id("movie", 0), "t2v", 0)}, {})


def test_missing_extra_duplicate_and_ambiguous_videos_are_all_told(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=5)
    rows[4]["prompt"] = rows[3]["prompt"]
    one = film(folder / "x" / f"{clip_id('movie', 0)}.mp4")
    shutil.copy(one, film(folder / "x" / "second" / f"{clip_id('movie', 0)}.mp4"))
    film(folder / "x" / f"{clip_id('movie', 77)}.mp4", seed=2)
    film(folder / "x" / f"{clip_id('movie', 999)}.mp4", seed=3)
    film(folder / "x" / "holiday.mp4", seed=4)
    film(folder / "x" / f"{'ab' * 8}.mp4", seed=5)
    film(folder / "x" / f"{prompt_hash(rows[3])[:16]}.mp4", seed=6)
    film(folder / "loose.mp4", seed=7)
    found = made(home, rows)
    assert stands_for(found) == {f"x/{clip_id('movie', 0)}.mp4": (clip_id("movie", 0), "t2v", 0)}
    assert told(found) == {
        f"x/second/{clip_id('movie', 0)}.mp4": (
            "video_duplicate",
            f"x/{clip_id('movie', 0)}.mp4 is of the same generator, clip and seed 0",
        ),
        f"x/{clip_id('movie', 77)}.mp4": ("video_extra", "The benchmark has no such clip"),
        f"x/{clip_id('movie', 999)}.mp4": ("video_extra", "The benchmark has no such clip"),
        "x/holiday.mp4": ("video_extra", "The name says neither a clip nor a prompt"),
        f"x/{'ab' * 8}.mp4": ("video_extra", "The benchmark has no such prompt"),
        f"x/{prompt_hash(rows[3])[:16]}.mp4": (
            "video_ambiguous",
            f"2 clips of the benchmark have this prompt: {clip_id('movie', 3)}, {clip_id('movie', 4)}",
        ),
        "loose.mp4": ("video_loose", "The file lies in no folder of a generator"),
        "x/t2v/movie": (
            "video_missing",
            "x: 4 of 5 clips of the benchmark have no video: "
            f"{clip_id('movie', 1)}, {clip_id('movie', 2)}, {clip_id('movie', 3)} and others",
        ),
    }


def test_clips_with_fewer_seeds_than_others_are_told(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=2)
    for name in (f"{clip_id('movie', 0)}-1", f"{clip_id('movie', 0)}-2", f"{clip_id('movie', 1)}-94"):
        film(folder / "x" / f"{name}.mp4")
    said = f"x: 1 of 2 clips of the benchmark have fewer than the 2 videos of others: {clip_id('movie', 1)}"
    assert told(made(home, rows)) == {"x/t2v/movie": ("video_missing", said)}


def test_every_domain_has_its_own_and_what_no_domain_knows_is_told_once(home: Path, folder: Path) -> None:
    movies, stickers = benchmark(home, "movie"), benchmark(home, "sticker")
    film(folder / "x" / f"{prompt_hash(movies[0])[:16]}.mp4")
    film(folder / "x" / f"{prompt_hash(stickers[0])[:16]}.mp4", seed=1)
    film(folder / "x" / f"{clip_id('sticker', 1)}.mp4", seed=2)
    film(folder / "x" / "sticker" / "unknown.mp4", seed=3)
    film(folder / "x" / "unknown.mp4", seed=4)

    def of(domain: str, own: Sequence[Any], *others: Sequence[Any]) -> tuple[set[str], set[str]]:
        found = made(home, own, domain, others)
        return set(stands_for(found)), {path for path, (code, _) in told(found).items() if code == "video_extra"}

    of_movies = of("movie", movies, stickers, [])
    of_stickers = of("sticker", stickers, movies, [])
    of_animations = of("animation", [], movies, stickers)
    names = {f"x/{prompt_hash(stickers[0])[:16]}.mp4", f"x/{clip_id('sticker', 1)}.mp4"}
    assert (of_movies[0], of_stickers[0], of_animations[0]) == ({f"x/{prompt_hash(movies[0])[:16]}.mp4"}, names, set())
    extra = sorted(path for _, extras in (of_movies, of_stickers, of_animations) for path in extras)
    assert extra == ["x/sticker/unknown.mp4", "x/unknown.mp4"]


def test_a_file_that_is_no_whole_video_is_a_row_and_the_others_count(home: Path, folder: Path) -> None:
    rows = benchmark(home, count=4)
    film(folder / "x" / f"{clip_id('movie', 0)}.mp4")
    (folder / "x" / f"{clip_id('movie', 1)}.mp4").write_bytes(b"")
    whole = film(folder / "x" / f"{clip_id('movie', 2)}.mp4").read_bytes()
    (folder / "x" / f"{clip_id('movie', 2)}.mp4").write_bytes(whole[: len(whole) // 2])
    flat = [np.full((24, 32, 3), 90, np.uint8)] * 5
    write_video(folder / "x" / f"{clip_id('movie', 3)}.mp4", flat, fps=FPS, codec="libx264", pix_fmt="yuv420p")
    found = made(home, rows)
    assert [found.stage.imports.videos[name][0].clip_id for name in found.imported] == [clip_id("movie", 0)]
    codes = {one.path: one.code for one in found.failures}
    assert codes[f"library/generated/x/{clip_id('movie', 1)}.mp4"] == "empty_file"
    assert codes[f"library/generated/x/{clip_id('movie', 2)}.mp4"] in ("truncated", "corrupt_container")
    assert codes[f"library/generated/x/{clip_id('movie', 3)}.mp4"] == "constant"


def test_a_video_of_a_generator_that_also_runs_here_is_a_duplicate(home: Path, folder: Path) -> None:
    from emovid_assets_tests.generation.homes import generator

    rows = benchmark(home, count=1)
    film(folder / "wan" / f"{clip_id('movie', 0)}.mp4")
    film(folder / "wan" / f"{clip_id('movie', 0)}-8.mp4", seed=1)
    write_settings(home, generator("wan", home / "no-model-is-needed-for-this"))
    found = made(home, rows)
    said = 'generation.models "wan" is of the same generator, clip and seed 0'
    assert told(found) == {f"wan/{clip_id('movie', 0)}.mp4": ("video_duplicate", said)}
    assert [wanted.seed for wanted, _ in found.stage.imports.videos.values()] == [8]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("m/a.mp4", ("t2v", None, None, 0, None)),
        ("m/I2V/sticker/a.mp4", ("i2v", None, None, 0, "sticker")),
        (f"m/{'0f' * 32}.mp4", ("t2v", None, "0f" * 32, 0, None)),
        (f"m/{'0F' * 8}-12.mp4", ("t2v", None, "0f" * 8, 12, None)),
        (f"m/sticker/{clip_id('movie', 1)}.mp4", ("t2v", clip_id("movie", 1), None, 0, "movie")),
        (f"m/{clip_id('movie', 1)}--3.mp4", ("t2v", None, None, 0, None)),
        (f"m/{clip_id('movie', 1)}_seed-3.mp4", ("t2v", clip_id("movie", 1), None, 3, "movie")),
        (f"m/{clip_id('movie', 1)}-00000007.mp4", ("t2v", clip_id("movie", 1), None, 7, "movie")),
    ],
)
def test_what_a_path_says(path: str, expected: tuple[Any, ...]) -> None:
    found = named(path)
    assert found is not None
    assert (found.task, found.clip_id, found.prompt, found.seed, found.domain) == expected


@pytest.mark.parametrize("path", ["a.mp4", "i2v/a.mp4", "T2V/sticker/a.mp4", "movie/a.mp4"])
def test_a_folder_of_a_task_or_a_domain_is_no_generator(path: str) -> None:
    assert named(path) is None


def test_a_hash_may_be_short_but_not_stand_for_two_prompts() -> None:
    rows = [{"clip_id": f"c{n}", "split": "benchmark", "emotion": "awe", "prompt": str(n)} for n in range(400)]
    found = Benchmark(rows)
    whole = hashlib.sha256(b"7").hexdigest()
    assert found.with_prompt(whole[:16]) == ["c7"]
    beginnings = [hashlib.sha256(str(n).encode()).hexdigest()[0] for n in range(400)]
    assert len(found.with_prompt(whole[:1])) == beginnings.count(whole[0])
