"""What a file really shows and where others cut it, to hold our media pass against.

Belongs here: decoding without our reader, other people's cut detection, the comparison of colours. Does not belong
here: which files are looked at.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageSequence
from scenedetect import AdaptiveDetector, ContentDetector, SceneManager, open_video

from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets_tests.media.reference import Reference, as_seen, differences, over_white

STRIDE = 20


def frames_for_reference(path: Path, wanted: Collection[int]) -> Iterator[tuple[int, np.ndarray]]:
    """(index, RGB) of the wanted frames by a plain decode: Pillow for WebP, PyAV for everything else."""
    if path.suffix == ".webp":
        with Image.open(path) as image:
            for index, still in enumerate(ImageSequence.Iterator(image)):
                if index in wanted:
                    yield index, over_white(np.asarray(still.convert("RGBA")))
        return
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                yield index, as_seen(frame)


def colour_faults(path: Path, scanned: dict[str, Any]) -> dict[str, Any]:
    """Kept segments whose colours are not those of the float64 definition; raises where none is kept."""
    kept = [segment for segment in scanned["segments"] if segment["is_kept"]]
    assert kept
    owner = {
        index: number
        for number, segment in enumerate(kept)
        for index in range(segment["start_frame"], segment["end_frame"], STRIDE)
    }
    sums = [Reference() for _ in kept]
    for index, rgb in frames_for_reference(path, owner):
        sums[owner[index]].add(rgb)
    faults = {}
    for segment, reference in zip(kept, sums, strict=True):
        ours = colour_attributes(ColourSums(*segment["colour"]))
        if found := differences(ours, reference.attributes()):
            faults[segment["clip_id"]] = found
    return faults


Detector = type[AdaptiveDetector | ContentDetector]


def cuts_of_pyscenedetect(path: Path) -> dict[Detector, list[int]]:
    """By either detector, from one decode: what each finds is noted on its way to the list of all."""
    found: dict[Detector, list[int]] = {}
    manager = SceneManager()
    for kind in (AdaptiveDetector, ContentDetector):
        detector, cuts = kind(), found.setdefault(kind, [])
        for name in ("process_frame", "post_process"):
            setattr(detector, name, _noting(getattr(detector, name), cuts))
        manager.add_detector(detector)
    manager.detect_scenes(open_video(str(path)))
    return found


def _noting(find: Callable[..., list[Any]], cuts: list[int]) -> Callable[..., list[Any]]:
    def noted(*arguments: Any) -> list[Any]:
        at = find(*arguments)
        cuts.extend(cut.frame_num for cut in at)
        return at

    return noted
