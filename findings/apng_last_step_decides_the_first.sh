# FFmpeg does not blend a full-size APNG picture that is to be cleared afterwards: it replaces what is below.
#
# Seen with av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6, Python 3.11.7.
#
# An opaque red picture, then a green one of half opacity with APNG_BLEND_OP_OVER: an opaque mix is to be shown. What
# happens after it has been shown (dispose: leave it, clear to background, back to the one before) cannot change
# it. It does for "clear" where the picture covers the whole canvas: green of half opacity is shown, nothing of the red.
# A picture that is one column narrower is blended as it should be.
#
# Output that was seen:
#   width 8: leave (127, 128, 0, 255), clear (0, 255, 0, 128), back (127, 128, 0, 255)
#   width 7: leave (127, 128, 0, 255), clear (127, 128, 0, 255), back (127, 128, 0, 255)
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq av==18.1.0 numpy==2.4.6; } || exit 2

cat >look.py <<'PY'
import struct
import sys
import zlib
from pathlib import Path

import av


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def control(number, width, dispose, blend):
    return chunk(b"fcTL", struct.pack(">5I2H2B", number, width, 8, 0, 0, 1, 10, dispose, blend))


def pixels(width, colour):
    return zlib.compress((b"\0" + bytes(colour) * width) * 8)


def draw(path, width, dispose):
    """An opaque red picture of 8 x 8, and a green one of half opacity and the width given blended over it."""
    Path(path).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 6, 0, 0, 0))
        + chunk(b"acTL", struct.pack(">2I", 2, 0))
        + control(0, 8, 0, 0)
        + chunk(b"IDAT", pixels(8, (255, 0, 0, 255)))
        + control(1, width, dispose, 1)
        + chunk(b"fdAT", struct.pack(">I", 2) + pixels(width, (0, 255, 0, 128)))
        + chunk(b"IEND", b"")
    )


def second(width, dispose):
    draw("film.png", width, dispose)
    with av.open("film.png", format="apng") as film:
        return tuple(list(film.decode(video=0))[1].to_ndarray(format="rgba")[0, 0].tolist())


found = {}
for width in (8, 7):
    leave, clear, back = found[width] = [second(width, dispose) for dispose in (0, 1, 2)]
    print(f"width {width}: leave {leave}, clear {clear}, back {back}")
if len(set(found[7])) != 1 or found[8][0] != found[8][2] or found[8][1] != (0, 255, 0, 128):
    sys.exit("changed: the way of clearing no longer decides about the blending")
PY
venv/bin/python look.py
