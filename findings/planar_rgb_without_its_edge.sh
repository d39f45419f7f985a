# libswscale does not write the last columns of planar RGB (`gbrp`) where the width is not right for it.
#
# Seen with av 18.1.0 (its libswscale is 9.5.102), numpy 2.4.6, Python 3.11.7, Linux on x86-64.
#
# The same picture of noise is converted from yuv420p to `rgb24` and to `gbrp` without a change of size. The two should
# hold the same colours up to rounding. They do where the width modulo 16 is 0 or more than 8. Where it is 1 to 8, so
# many columns at the right of `gbrp` are not written and hold what was there before; no error, no warning.
# 854, 1366 and 1080 (upright films) are such widths, 640 and 1920 are not. On a flat film the fault hides: what was
# there before is often the same picture.
#
# Output that was seen:
#   width modulo 16 -> columns that differ: 0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:0 10:0 11:0 12:0 13:0 14:0 15:0
#   854:6 1080:8 1366:6 640:0 1920:0
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq av==18.1.0 numpy==2.4.6; } || exit 2

cat >look.py <<'PY'
import sys

import av
import numpy as np

random = np.random.default_rng(1)


def noise(width):
    frame = av.VideoFrame(width, 32, "yuv420p")
    for plane in frame.planes:
        plane.update(random.integers(16, 236, plane.buffer_size, dtype=np.uint8).tobytes())
    return frame


def edge(width):
    """How many columns, counted from the first wrong one, differ by more than rounding."""
    frame = noise(width)
    planar, packed = (frame.reformat(format=name).to_ndarray().astype(int) for name in ("gbrp", "rgb24"))
    wrong = np.flatnonzero((abs(planar - packed) > 24).any(axis=(0, 2)))
    return width - int(wrong[0]) if len(wrong) else 0


small = {width % 16: edge(width) for width in range(64, 80)}
known = {width: edge(width) for width in (854, 1080, 1366, 640, 1920)}
print("width modulo 16 -> columns that differ:", *(f"{rest}:{columns}" for rest, columns in small.items()))
print(*(f"{width}:{columns}" for width, columns in known.items()))
if any(small[rest] != (rest if rest <= 8 else 0) for rest in small):
    sys.exit("changed: other columns of gbrp are written")
PY
venv/bin/python look.py
