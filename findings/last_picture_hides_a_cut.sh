# PySceneDetect loses a cut when the LAST picture of the film is held longer, though nothing before the cut differs.
#
# Seen with scenedetect-headless 0.7.2 (opencv-python-headless 5.0.0.93, its backend where none is named),
# pillow 13.0.0, Python 3.11.7.
#
# Forty pictures, 0.1 s each, red for twenty and blue for twenty: one hard cut, at picture 20 and 2.0 s. A detector's
# `min_scene_len` is 15 frames where nothing is said, and 20 is more than 15. But where times come from the file,
# a number of frames is not counted: it is the time multiplied by the file's average rate. Holding the last picture for
# 2 s makes the average 7.14 a second, picture 20 becomes "frame 14", and the cut is dropped without a word. Any long
# hold does it: the end card of an animated GIF, a slide in a screen recording. The same length in seconds ("0.6s",
# which is what the command line takes) keeps the cut in both films.
#
# Output that was seen:
#   last picture 0.1 s: 15 frames -> cuts at [2.0], 0.6 s -> cuts at [2.0]
#   last picture 2.0 s: 15 frames -> cuts at [], 0.6 s -> cuts at [2.0]
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv &&
    venv/bin/pip install -qq scenedetect-headless==0.7.2 opencv-python-headless==5.0.0.93 pillow==13.0.0; } || exit 2

cat >look.py <<'PY'
import sys

import scenedetect
from PIL import Image


def draw(path, last):
    pictures = []
    for number in range(40):
        picture = Image.new("RGB", (160, 90), "darkred" if number < 20 else "steelblue")
        # Something moves, or equal neighbours would be joined into one picture.
        picture.paste("yellow", (3 * number, 20, 3 * number + 20, 50))
        pictures.append(picture)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100] * 39 + [last])


def cuts(path, length):
    scenes = scenedetect.detect(path, scenedetect.ContentDetector(min_scene_len=length))
    return [round(start.seconds, 3) for start, _ in scenes[1:]]


found = {}
for last in (100, 2000):
    draw("film.gif", last)
    found[last] = cuts("film.gif", 15), cuts("film.gif", "0.6s")
    print(f"last picture {last / 1000} s: 15 frames -> cuts at {found[last][0]}, 0.6 s -> cuts at {found[last][1]}")
if found != {100: ([2.0], [2.0]), 2000: ([], [2.0])}:
    sys.exit("changed: the length of the last picture no longer decides about an earlier cut")
PY
venv/bin/python look.py
