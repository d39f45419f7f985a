# transformers' `load_video` with its default backend cannot read WebM: it asks the container for the number of frames.
#
# Seen with transformers 5.23.0, av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6, Python 3.11.7.
#
# `load_video(path, num_frames=8)` uses the backend "pyav", which takes `stream.frames` for the length of the film. MP4 has
# a table of samples; Matroska and WebM state no such number, so FFmpeg gives 0, as it does where nothing is known, and
# eight pictures are refused as more than there are. Films of the same pictures differ only in what they are packed in; H.264 in
# Matroska, which Firefox and players show, fails as VP8 in WebM does. Other backends count for themselves.
#
# Output that was seen:
#   H.264 in MP4: 8 pictures, 50 frames in all
#   H.264 in Matroska: ValueError, "exceeds total_num_frames=0"
#   VP8 in WebM: ValueError, "exceeds total_num_frames=0"
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq transformers==5.23.0 av==18.1.0 numpy==2.4.6 pillow==13.0.0; } || exit 2

cat >look.py <<'PY'
import re
import sys

import av
import numpy as np
from transformers.video_utils import load_video

FILMS = {"H.264 in MP4": ("film.mp4", "libx264"), "H.264 in Matroska": ("film.mkv", "libx264")}
FILMS["VP8 in WebM"] = ("film.webm", "libvpx")


def film(path, codec):
    with av.open(path, "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * number, np.uint8), "rgb24")))
        out.mux(stream.encode(None))


def looked_at(path):
    try:
        pictures, facts = load_video(path, num_frames=8)
    except ValueError as error:
        return f'ValueError, "{re.search("exceeds total_num_frames=0", str(error))[0]}"'
    return f"{len(pictures)} pictures, {facts.total_num_frames} frames in all"


found = {}
for name, (path, codec) in FILMS.items():
    film(path, codec)
    found[name] = looked_at(path)
    print(f"{name}: {found[name]}")
fails = 'ValueError, "exceeds total_num_frames=0"'
if found != dict(zip(FILMS, ("8 pictures, 50 frames in all", fails, fails))):
    sys.exit("changed: load_video reads other films")
PY
venv/bin/python look.py
