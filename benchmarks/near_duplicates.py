"""How far different stickers and copies of one lie apart: what the limits of `core.clip_groups` are chosen by.

Run `python -m benchmarks.near_duplicates FOLDER …` from the repository, with folders of stickers that are all
different, as `../shared/corpus/sticker`. Each is measured as a build does, and so are two copies of it: at half size
(H.264, CRF 28) and at a quarter (CRF 32). Prints, for a range of limits, how many copies are found and how many pairs
of different stickers are joined, then the pairs that come nearest. Exits with 1 where the limits in use join any.
"""

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from emovid_assets.core.clip_groups import LIKENESS
from emovid_assets.core.colour import ColourSums, colour_attributes, mean_colour
from emovid_assets.core.near_duplicates import MIN_SET_BITS, Limits, Looks, are_near
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, upright
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings

SUFFIXES = {".gif", ".webp", ".png", ".mp4", ".webm"}
COPIES = ((2, 28), (4, 32))
"""Divisor of the sides, and CRF."""
RATE = 25
NEAREST = 8
SETTINGS = ScanSettings(DetectorSettings("adaptive", 3.0), 20, 0.01, 300.0, True)


@dataclass(frozen=True)
class Look:
    name: str
    hashes: tuple[str, ...]
    colour: tuple[float, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    paths = sorted(
        path for folder in parser.parse_args().folders for path in folder.rglob("*") if path.suffix in SUFFIXES
    )
    originals, copies = [], []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            try:
                original = look_of(path, Path(folder))
            except MediaError as error:
                print(f"{path.name}: {error.code}")
                continue
            originals.append(original)
            copies += [(original, look_of(copy, Path(folder))) for copy in copies_of(path, Path(folder))]
    different = list(itertools.combinations(originals, 2))
    print(f"{len(originals)} stickers, {len(different)} pairs, {len(copies)} copies")
    print("bits  unlike  copies found  different joined")
    for bits, unlike in itertools.product(range(2, 9), (0.1, 0.15, 0.2, 0.25, 0.33, 1.0)):
        limits = Limits(bits, LIKENESS.max_colour, LIKENESS.min_contrast_frames, unlike)
        found, joined = near_count(copies, limits), near_count(different, limits)
        print(f"{bits:4}  {unlike:6.2f}  {found:12}  {joined:16}{'  in use' if limits == LIKENESS else ''}")
    print("nearest different ones: bits, share of the fewer set bits, colour")
    for one, other in sorted(different, key=lambda pair: apart(*pair))[:NEAREST]:
        bits, share, colour = apart(one, other)
        print(f"{bits:4}  {share:.2f}  {colour:.3f}  {one.name}  {other.name}")
    print("farthest copies")
    for one, other in sorted(copies, key=lambda pair: apart(*pair))[-NEAREST:]:
        bits, share, colour = apart(one, other)
        print(f"{bits:4}  {share:.2f}  {colour:.3f}  {one.name}")
    return int(near_count(different, LIKENESS) > 0)


def look_of(path: Path, folder: Path) -> Look:
    tracks = probe_file(path).tracks
    (segment,) = scan_source(path, tracks, "sticker-0123456789abcdef", SETTINGS, folder)["segments"]
    colour = mean_colour(colour_attributes(ColourSums(*segment["colour"])))
    return Look(path.name, tuple(segment["features"]["frame_hashes"]), colour)


def copies_of(path: Path, folder: Path) -> Iterator[Path]:
    import av
    import cv2

    converter = RgbConverter()
    frames = [
        upright(converter.rgb(frame.picture), frame.rotation) for frame in Video(path, probe_file(path).tracks).frames()
    ]
    height, width = frames[0].shape[:2]
    for divisor, crf in COPIES:
        size = tuple(max(16, side // divisor // 2 * 2) for side in (width, height))
        copy = folder / f"copy-{divisor}.mp4"
        with av.open(str(copy), "w") as file:
            stream = file.add_stream("libx264", rate=Fraction(RATE), options={"crf": str(crf), "threads": "1"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for frame in frames:
                small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
            file.mux(stream.encode())
        yield copy


def near_count(pairs: list[tuple[Look, Look]], limits: Limits) -> int:
    one, other = (Looks.of((p[side].hashes for p in pairs), (p[side].colour for p in pairs)) for side in (0, 1))
    return int(are_near(one, other, limits).sum())


def apart(one: Look, other: Look) -> tuple[int, float, float]:
    """Most bits that differ in a hash, the most of them as a share of the fewer bits of one kind, most of a colour."""
    bits, shares = [], []
    for a, b in zip(one.hashes, other.hashes, strict=True):
        x, y = int(a, 16), int(b, 16)
        bits.append((x ^ y).bit_count())
        detail = min(n for v in (x, y) for n in (v.bit_count(), 64 - v.bit_count()))
        if detail >= MIN_SET_BITS:
            shares.append(bits[-1] / detail)
    return max(bits), max(shares, default=0.0), float(np.abs(np.subtract(one.colour, other.colour)).max())


if __name__ == "__main__":
    sys.exit(main())
