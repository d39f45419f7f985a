# imageio's PyAV plugin gives the next picture for a key frame near the end of an H.264 film with B-frames, then nothing.
#
# Seen with imageio 2.38.1, av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6, Python 3.11.7.
#
# To read picture n of a film of constant rate, the plugin seeks, decodes one picture to learn which key frame it has
# met, and seeks again so that this picture comes once more. The second seek does not reach the decoder's output: where
# fewer pictures follow the key frame than the decoder holds back, it has been emptied by then, and the generator goes on
# with what is left. So the key frame itself is skipped: its number gives the picture behind it, the last number raises
# StopIteration. The film is valid, and reading it from the beginning gives every picture.
#
# Output that was seen (50 pictures; a key frame at 25 in one film, at 48 in the other):
#   key frame at 25: 50 pictures in order; read by number, all are right
#   key frame at 48: 50 pictures in order; read by number, 48 gives 49, 49 gives StopIteration
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq imageio==2.38.1 av==18.1.0 numpy==2.4.6; } || exit 2

cat >look.py <<'PY'
import sys

import av
import imageio.v3 as imageio
import numpy as np

COUNT = 50


def film(path, key):
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": "3", "b-pyramid": "normal", "g": "250", "sc_threshold": "0", "forced-idr": "1"}
        for number in range(COUNT):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * number, np.uint8), "rgb24")
            if number == key:
                picture.pict_type = av.video.frame.PictureType.I
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def number_of(picture):
    return round(float(picture.mean()) / 5)


def by_number(path, number):
    with imageio.imopen(path, "r", plugin="pyav") as source:
        try:
            return number_of(source.read(index=number))
        except StopIteration:
            return "StopIteration"


found = {}
for key in (25, 48):
    film("film.mp4", key)
    in_order = [number_of(picture) for picture in imageio.imiter("film.mp4", plugin="pyav")] == list(range(COUNT))
    wrong = {n: got for n in range(COUNT) if (got := by_number("film.mp4", n)) != n}
    found[key] = (in_order, wrong)
    told = ", ".join(f"{n} gives {got}" for n, got in wrong.items()) or "all are right"
    print(f"key frame at {key}: {COUNT} pictures {'in' if in_order else 'out of'} order; read by number, {told}")
if found != {25: (True, {}), 48: (True, {48: 49, 49: "StopIteration"})}:
    sys.exit("changed: imageio reads other pictures by number")
PY
venv/bin/python look.py
