"""`load.py`, which every release holds: frames by their time, rows, tasks; in workers of either kind."""

import inspect
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.resources.release import load
from emovid_assets_tests.media.making import coded, rotate_display, write_video
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of

LONG = "movie-0000000000000001-00000000-00002000"
SHORT = "sticker-0000000000000002-00000000-00000400"
WITHHELD = "movie-0000000000000003-00000000-00002000"


def film(path: Path, starts: list[int], end: int, height: int = 24, width: int = 32) -> Path:
    """Frame `n` is shown from `starts[n]` on, in hundredths of a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [coded(number, height, width) for number in range(len(starts))]
    return write_video(path, frames, pts=starts, time_base=Fraction(1, 100), last_duration=end - starts[-1])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        clip(
            LONG, file_name=f"movie/{LONG}.mov", emotion="awe", caption="A sea.", prompt="A sea. Awe.", duration_s=2.0
        ),
        clip(SHORT, file_name=f"sticker/{SHORT}.mov", emotion="fear", caption=None, prompt="Fear.", duration_s=0.4),
        clip(WITHHELD, file_name=None, duration_s=2.0),
        clip("movie-4", split="benchmark", file_name=None),
    ]
    folder = plant_release(tmp_path_factory.mktemp("releases") / "1.0.0", table_of(rows))
    film(folder / "train" / "movie" / f"{LONG}.mov", [0, 4, 8, 100, 150], 200)
    film(folder / "train" / "sticker" / f"{SHORT}.mov", [0, 20], 40, height=40, width=20)
    (folder / "load.py").write_bytes(Path(load.__file__).read_bytes())
    return folder


def numbers_of(video: torch.Tensor) -> list[int]:
    """Which of the coded frames each picture is."""
    known = {tuple(coded(number)[0, 0]): number for number in range(300)}
    return [known[tuple(picture[:, 0, 0].tolist())] for picture in video]


@given(st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(1, 30))
def test_frames_are_those_that_are_shown_in_the_middles_of_equal_parts(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], count: int
) -> None:
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    path = film(tmp_path_factory.mktemp("film") / "film.mov", starts, sum(lengths))
    pictures, shown_from = load._pictures(str(path), sum(lengths) / 100, count, None)
    middles = [Fraction(sum(lengths) * (2 * part + 1), 2 * count) for part in range(count)]
    expected = [max(number for number, start in enumerate(starts) if start <= middle) for middle in middles]
    video = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    assert numbers_of(video) == expected
    assert shown_from == pytest.approx([starts[number] / 100 for number in expected])


def test_an_item_says_what_it_shows(release: Path) -> None:
    clips = load.Clips(release, "train", frames=4, size=None)
    assert len(clips) == 2
    item = clips[0]
    assert {name: value for name, value in item.items() if name not in ("video", "pts_s")} == {
        "label": EMOTION_NAMES.index("awe"),
        "caption": "A sea.",
        "prompt": "A sea. Awe.",
        "clip_id": LONG,
    }
    assert (item["video"].dtype, tuple(item["video"].shape)) == (torch.uint8, (4, 3, 24, 32))
    # Middles of the quarters of 2 s: 0.25, 0.75, 1.25, 1.75 s.
    assert numbers_of(item["video"]) == [2, 2, 3, 4]
    assert item["pts_s"].tolist() == pytest.approx([0.08, 0.08, 1.0, 1.5])
    assert clips[1]["caption"] == ""


@pytest.mark.parametrize(("size", "shape"), [(16, (16, 16)), ((12, 40), (12, 40)), ((64, 10), (64, 10))])
def test_pictures_fill_the_size_that_is_asked_for(
    release: Path, size: int | tuple[int, int], shape: tuple[int, int]
) -> None:
    for item in map(load.Clips(release, frames=2, size=size).__getitem__, (0, 1)):
        assert tuple(item["video"].shape) == (2, 3, *shape)
        # Frames are flat: nothing of another colour came in at the sides.
        assert (item["video"].float().std(dim=(2, 3)) < 1).all()


def test_a_picture_is_cut_in_the_middle_and_never_squeezed(tmp_path: Path) -> None:
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = 255
    path = write_video(tmp_path / "bars.mov", [picture] * 2)
    ((cut, _), _) = load._pictures(str(path), 0.08, 2, (20, 20))
    assert (cut > 200).all()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_picture_that_lies_in_the_file_is_shown_upright(tmp_path: Path, degrees: int) -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:10, :20] = (255, 0, 0)
    picture[10:, :20] = (0, 255, 0)
    path = write_video(tmp_path / "lying.mov", [picture] * 2)
    rotate_display(path, degrees)
    upright = np.rot90(picture, -degrees // 90)
    for size in (None, upright.shape[:2]):
        ((shown,), _) = load._pictures(str(path), 0.08, 1, size)
        assert np.array_equal(shown, upright)


def test_pixels_that_are_wider_than_high_are_shown_so(tmp_path: Path) -> None:
    """A picture of 20 × 20 that is displayed 40 wide, of which the middle is cut."""
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:, 5:15] = 255
    path = write_video(tmp_path / "wide.mov", [picture] * 2, aspect=Fraction(2, 1))
    ((cut,), _) = load._pictures(str(path), 0.08, 1, (20, 20))
    assert (cut[:, 2:-2] > 200).all()


def test_a_file_that_does_not_say_its_matrix_is_shown_by_that_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "untagged.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        green = av.VideoFrame.from_ndarray(np.full((64, 64, 3), (30, 200, 60), np.uint8), format="rgb24")
        green = green.reformat(format="yuv420p", dst_colorspace="ITU709")
        output.mux(stream.encode(green))
        output.mux(stream.encode(None))

    def shown(matrix: str | None) -> np.ndarray:
        ((picture,), _) = load._pictures(str(path), 0.04, 1, None, matrix)
        return picture.astype(int).mean(axis=(0, 1))

    assert np.abs(shown(load._MATRICES["bt709"]) - (30, 200, 60)).max() < 6
    assert np.abs(shown(None) - (30, 200, 60)).max() > 10


@pytest.mark.integration
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader_read_batches(method: str, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(release))
    shipped = _imported("load")
    assert Path(inspect.getfile(shipped)).parent == release
    clips = shipped.Clips(release, "train", frames=3, size=24)
    batches = torch.utils.data.DataLoader(
        clips, batch_size=2, num_workers=2, multiprocessing_context=method, timeout=100
    )
    (batch,) = list(batches)
    assert tuple(batch["video"].shape) == (2, 3, 3, 24, 24)
    assert batch["clip_id"] == [LONG, SHORT]
    assert batch["label"].tolist() == [EMOTION_NAMES.index("awe"), EMOTION_NAMES.index("fear")]


def _imported(name: str) -> ModuleType:
    sys.modules.pop(name, None)
    return __import__(name)


def test_a_transform_has_the_last_word(release: Path) -> None:
    assert load.Clips(release, size=8, frames=1, transform=lambda item: item["clip_id"])[1] == SHORT


def test_a_broken_file_is_named(release: Path, tmp_path: Path) -> None:
    for content in (b"", b"no film"):
        path = tmp_path / "broken.mp4"
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match=r"broken\.mp4 cannot be read .*compare it with SHA256SUMS"):
            load._pictures(str(path), 1.0, 2, None)


def test_rows_are_of_one_split_or_of_all(release: Path) -> None:
    assert [row["clip_id"] for row in load.rows(release, "train")] == [LONG, WITHHELD, SHORT]
    assert {row["split"] for row in load.rows(release)} == {"train", "benchmark"}
    assert load.rows(release, "benchmark", ["clip_id"]) == [{"clip_id": "movie-4"}]
    assert load.splits(release) == ["benchmark", "train"]


def test_what_is_asked_wrongly_is_said(release: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no split 'test' in .*; it has benchmark, train"):
        load.rows(release, "test")
    with pytest.raises(FileNotFoundError, match="is no release"):
        load.rows(tmp_path)
    with pytest.raises(ValueError, match="frames=0"):
        load.Clips(release, frames=0)


def test_tasks_point_below_the_root_of_the_server(release: Path, tmp_path: Path) -> None:
    tasks: list[Any] = [{"data": {"video": f"/data/local-files/?d=train/movie/{LONG}.mp4"}}]
    (release / "label_studio").mkdir(exist_ok=True)
    (release / "label_studio" / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    assert load.label_studio_tasks(release) == tasks
    (moved,) = load.label_studio_tasks(release, release.parent)
    assert moved["data"]["video"] == f"/data/local-files/?d=1.0.0/train/movie/{LONG}.mp4"
    with pytest.raises(ValueError, match="is not below"):
        load.label_studio_tasks(release, tmp_path)


def test_it_is_imported_with_the_standard_library_alone(release: Path) -> None:
    heavy = ("emovid", "torch", "pyarrow", "numpy")
    code = f"import sys, load; print([name for name in sys.modules if name.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=release)
    assert done.stdout == "[]\n"


def test_its_classes_are_those_of_the_project() -> None:
    assert load.EMOTIONS == EMOTION_NAMES
