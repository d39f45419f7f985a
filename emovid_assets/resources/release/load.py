"""Reads a release of EmoVid: this file is a part of it and needs nothing of the program that made it.

    import sys; sys.path.insert(0, "path/of/the/release")
    from load import Clips, rows

`rows` gives what is known of each clip as dictionaries, `table` as an Arrow table; `Clips` is a data set for PyTorch's
DataLoader; `to_fiftyone` and `label_studio_tasks` hand the clips to these programs. Every function says what must be
installed. Clips of which the release may hold no file are rows whose `file_name` is None.

Belongs here: that, with the standard library alone until a function is called. Does not belong here: anything that
needs the program `emovid`.
"""

import json
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

EMOTIONS = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
"""In the order of the class index: `Clips` gives 0 for amusement, 7 for sadness."""


def splits(folder: str | os.PathLike[str]) -> list[str]:
    """Names of the splits that the release has, in alphabetical order. Raises FileNotFoundError where it has none."""
    found = sorted(path.parent.name for path in Path(folder).glob("[!.]*/metadata.parquet"))
    if not found:
        raise FileNotFoundError(f"{folder} is no release: no folder in it has a metadata.parquet")
    return found


def table(folder: str | os.PathLike[str], split: str | None = None, columns: list[str] | None = None) -> Any:
    """A pyarrow.Table with a row a clip: of one split or, without one, of all. Needs pyarrow.

    What each column means, in which unit, is in croissant.json. Raises ValueError for a split that is not there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    there = splits(folder)
    if split is not None and split not in there:
        raise ValueError(f"there is no split '{split}' in {folder}; it has {', '.join(there)}")
    chosen = there if split is None else [split]
    return pa.concat_tables(
        [pq.ParquetFile(Path(folder, name, "metadata.parquet")).read(columns=columns) for name in chosen]
    )


def rows(
    folder: str | os.PathLike[str], split: str | None = None, columns: list[str] | None = None
) -> list[dict[str, Any]]:
    """The same as a list of dictionaries."""
    found: list[dict[str, Any]] = table(folder, split, columns).to_pylist()
    return found


def path_of(folder: str | os.PathLike[str], row: dict[str, Any]) -> Path | None:
    """The file of a clip; None where the release does not hold it."""
    return Path(folder, row["split"], row["file_name"]) if row["file_name"] else None


class Clips:
    """The clips of a split as a map-style data set of PyTorch: `DataLoader(Clips(folder, "train"), batch_size=8,
    shuffle=True, num_workers=4)`. Needs pyarrow, torch and av; any start method of worker processes will do.

    Clips without a file are left out: `len` counts the others. An item is a dictionary:

        video    uint8 tensor, frames × 3 × height × width, RGB: as many frames as asked for, at equal distances in the
                 time of presentation (the middles of so many equal parts of the clip), however many the file has
        pts_s    float32 tensor, when each of them begins to be shown, in seconds from the clip's first
        label    index of the emotion in EMOTIONS
        caption  text, empty where there is none
        prompt   text that generators are asked with
        clip_id  text

    size: (height, width), or one number for both: the picture, upright, is scaled to fill it and cut at the sides that
    are too long; PyTorch's own collate then makes batches. None leaves every clip its size: then take batch_size=1, or
    a collate_fn of your own (`lambda items: items` gives them as a list).
    transform: called with the item last of all.
    threads: of the decoder, in each worker; one is best with many workers.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        split: str = "train",
        frames: int = 16,
        size: int | tuple[int, int] | None = 224,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        threads: int = 1,
    ) -> None:
        if frames < 1:
            raise ValueError(f"frames={frames}: at least one is wanted")
        needed = ["file_name", "clip_id", "split", "emotion", "caption", "prompt", "duration_s"]
        needed += ["colour_matrix", "is_colour_tagged"]
        self.folder, self.split = os.fspath(folder), split
        self.frames, self.threads, self.transform = frames, threads, transform
        self.size = (size, size) if isinstance(size, int) else size
        self.rows = [row for row in rows(folder, split, needed) if row["file_name"]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        import numpy as np
        import torch

        row = self.rows[index]
        path = path_of(self.folder, row)
        # Libraries take a file that does not say its matrix for BT.601, whatever its size.
        matrix = None if row["is_colour_tagged"] else _MATRICES.get(row["colour_matrix"])
        pictures, starts = _pictures(str(path), row["duration_s"], self.frames, self.size, matrix, self.threads)
        item = {
            "video": torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(),
            "pts_s": torch.tensor(starts, dtype=torch.float32),
            "label": EMOTIONS.index(row["emotion"]),
            "caption": row["caption"] or "",
            "prompt": row["prompt"],
            "clip_id": row["clip_id"],
        }
        return self.transform(item) if self.transform else item


def to_fiftyone(folder: str | os.PathLike[str], name: str | None = None) -> Any:
    """A fiftyone.Dataset of all clips that have a file; tags are their splits. Needs pyarrow, fiftyone and a MongoDB,
    which it fetches itself where it can. fiftyone/ in the release holds the same in FiftyOne's own format."""
    import fiftyone as fo  # type: ignore[import-not-found, unused-ignore]

    def label(row: dict[str, Any], column: str, confidence: str | None = None) -> Any:
        if row[column] is None:
            return None
        return fo.Classification(label=row[column], confidence=row[confidence] if confidence else None)

    samples = []
    for row in rows(folder):
        path = path_of(folder, row)
        if path is not None:
            fields = {key: value for key, value in row.items() if key not in _SHOWN_AS_LABELS and value is not None}
            samples.append(
                fo.Sample(
                    filepath=str(path.resolve()),
                    tags=[row["split"]],
                    emotion=label(row, "emotion", "label_confidence"),
                    human=label(row, "human_emotion"),
                    vlm=label(row, "vlm_emotion", "vlm_confidence"),
                    **fields,
                )
            )
    dataset = fo.Dataset(name)
    dataset.default_classes = list(EMOTIONS)
    dataset.add_samples(samples)
    return dataset


def label_studio_tasks(
    folder: str | os.PathLike[str], document_root: str | os.PathLike[str] | None = None
) -> list[dict[str, Any]]:
    """The tasks of label_studio/tasks.json for a Label Studio whose LOCAL_FILES_DOCUMENT_ROOT is `document_root`: the
    release (the default) or a folder above it. Raises ValueError where the release lies elsewhere."""
    release = Path(folder).resolve()
    root = Path(document_root).resolve() if document_root is not None else release
    if not release.is_relative_to(root):
        raise ValueError(f"{release} is not below {root}: Label Studio shows no files from elsewhere")
    below = release.relative_to(root).as_posix()
    tasks: list[dict[str, Any]] = json.loads((release / "label_studio" / "tasks.json").read_text(encoding="utf-8"))
    for task in tasks:
        address, mark, path = task["data"]["video"].partition("?d=")
        task["data"]["video"] = f"{address}{mark}{path if below == '.' else f'{below}/{path}'}"
    return tasks


_INSTANT_S = 1e-6
"""Moments that are as close are the same: both are rounded numbers, and a picture lasts longer."""
_MATRICES = {"bt709": "ITU709"}
_SHOWN_AS_LABELS = frozenset(
    {"file_name", "emotion", "label_confidence", "human_emotion", "vlm_emotion", "vlm_confidence"}
)


def _pictures(
    path: str, duration_s: float, count: int, size: tuple[int, int] | None, matrix: str | None = None, threads: int = 1
) -> tuple[list[Any], list[float]]:
    """So many pictures of a file and when each begins, in seconds from its first. `matrix`: of a file that does not say
    its own. Raises RuntimeError naming the file where it has none."""
    wanted = [duration_s * (part + 0.5) / count for part in range(count)]
    pictures: list[Any] = []
    starts: list[float] = []
    shown, shown_from = None, 0.0
    for frame, start, aspect in _frames(path, threads):
        if shown is not None:
            # What was shown until now is what is shown at every moment before.
            for _ in range(bisect_left(wanted, start - _INSTANT_S) - len(pictures)):
                pictures.append(_fitted(*shown, size, matrix))
                starts.append(shown_from)
            if len(pictures) == count:
                break
        shown, shown_from = (frame, aspect), start
    if shown is None:
        raise RuntimeError(f"{path} holds no picture that can be read: compare it with SHA256SUMS")
    while len(pictures) < count:
        pictures.append(_fitted(*shown, size, matrix))
        starts.append(shown_from)
    return pictures, starts


def _frames(path: str, threads: int) -> Iterator[tuple[Any, float, float]]:
    """Each frame, when it is shown, and how much wider than high its pixels are."""
    import av

    try:
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = threads
            aspect = float(stream.sample_aspect_ratio or 1)
            first: Fraction | None = None
            for frame in container.decode(stream):
                start = frame.pts * frame.time_base
                first = start if first is None else first
                yield frame, float(start - first), aspect
    except (OSError, ValueError, IndexError) as error:
        raise RuntimeError(f"{path} cannot be read ({error}): compare it with SHA256SUMS") from error


def _fitted(frame: Any, aspect: float, size: tuple[int, int] | None, matrix: str | None) -> Any:
    """A picture as it is displayed: upright, in its colours, scaled to fill the size and cut."""
    import numpy as np

    # Clips that are copied keep the turn of their source in the file's header, and their pixels lie.
    turns = int(frame.rotation) % 360 // 90
    tall, wide = frame.height, frame.width
    height, width = (tall, wide) if size is None else size if turns % 2 == 0 else (size[1], size[0])
    if size is not None:
        scale = max(height / tall, width / (wide * aspect))
        tall, wide = max(height, round(tall * scale)), max(width, round(wide * aspect * scale))
    pixels = frame.reformat(width=wide, height=tall, format="rgb24", src_colorspace=matrix).to_ndarray()
    top, left = (tall - height) // 2, (wide - width) // 2
    return np.rot90(pixels[top : top + height, left : left + width], turns)
