# Pillow makes an opaque APNG transparent where a half-transparent picture is blended over it.
#
# Seen with pillow 13.0.0, Python 3.11.7.
#
# APNG_BLEND_OP_OVER is the usual "over" of the PNG standard: what lies over an opaque pixel leaves it opaque, and
# the alpha of the result is over + under * (1 - over). Pillow's answer mixes the
# alpha channel like a colour: 128 over 255 becomes 191 where the formula gives 255. The colours are right.
# `Image.alpha_composite` of the same two pictures follows the formula.
#
# Output that was seen:
#   second picture, read by Pillow:  (127, 128, 0, 191)
#   the same with alpha_composite:   (127, 128, 0, 255)
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq pillow==13.0.0; } || exit 2

cat >look.py <<'PY'
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image


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


draw("film.png", 8, 0)
with Image.open("film.png") as film:
    film.seek(1)
    read = film.convert("RGBA").getpixel((0, 0))
pictures = [Image.new("RGBA", (8, 8), colour) for colour in ((255, 0, 0, 255), (0, 255, 0, 128))]
composed = Image.alpha_composite(*pictures).getpixel((0, 0))
print(f"second picture, read by Pillow:  {read}")
print(f"the same with alpha_composite:   {composed}")
if (read[3], composed[3]) != (191, 255):
    sys.exit("changed: blending gives another alpha")
PY
venv/bin/python look.py
