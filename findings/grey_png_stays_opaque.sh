# OpenCV applies the transparent colour of a PNG (tRNS) for RGB and palettes, not for grey.
#
# Seen with opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6, Python 3.11.7.
#
# A PNG of four pixels names the second one's colour as transparent. `IMREAD_UNCHANGED` is there to keep the alpha
# channel; with RGB and with a palette it gives four channels and the second pixel is clear. With grey it gives one
# channel and all is opaque. Pillow sees the second pixel as clear in all three.
#
# Output that was seen:
#   RGB: OpenCV alpha [255, 0, 255, 255], Pillow alpha [255, 0, 255, 255]
#   P:   OpenCV alpha [255, 0, 255, 255], Pillow alpha [255, 0, 255, 255]
#   L:   OpenCV alpha none, Pillow alpha [255, 0, 255, 255]
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv &&
    venv/bin/pip install -qq opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6; } || exit 2

cat >look.py <<'PY'
import io
import sys

import cv2
import numpy as np
from PIL import Image

COLOURS = [(0, 0, 0), (200, 10, 10), (10, 200, 10), (10, 10, 200)]


def draw(mode):
    picture = Image.new(mode, (4, 1))
    if mode == "P":
        picture.putpalette([value for colour in COLOURS for value in colour])
    pixels = {"RGB": COLOURS, "P": [0, 1, 2, 3], "L": [0, 50, 100, 150]}[mode]
    for x, pixel in enumerate(pixels):
        picture.putpixel((x, 0), pixel)
    file = io.BytesIO()
    picture.save(file, "PNG", transparency=pixels[1])
    return file.getvalue()


found = {}
for mode in ("RGB", "P", "L"):
    png = draw(mode)
    read = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    found[mode] = read[0, :, 3].tolist() if read.ndim == 3 and read.shape[2] == 4 else "none"
    pillow = list(Image.open(io.BytesIO(png)).convert("RGBA").getchannel("A").tobytes())
    print(f"{mode + ':':4} OpenCV alpha {found[mode]}, Pillow alpha {pillow}")
clear = [255, 0, 255, 255]
if found != {"RGB": clear, "P": clear, "L": "none"}:
    sys.exit("changed: OpenCV reads another alpha")
PY
venv/bin/python look.py
