# Durations of Matroska packets, added up, are shorter than the film: each is cut to whole milliseconds.
#
# Seen with av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6, Python 3.11.7.
#
# Stamps in FFmpeg's Matroska files are whole milliseconds, rounded to the nearest, and do not drift. The length
# of a picture is kept in nanoseconds in the header, but each packet reports it cut down: 41 ms at 24 a second,
# 16 ms at 60. Of 10 s, 9.84 s and 9.6 s are left when one adds them up. MP4, with finer ticks, gives 10 s.
#
# Output that was seen:
#   24 a second, 240 packets: mkv 9.84 s, mp4 10.0 s
#   25 a second, 250 packets: mkv 10.0 s, mp4 10.0 s
#   30 a second, 300 packets: mkv 9.9 s, mp4 10.0 s
#   60 a second, 600 packets: mkv 9.6 s, mp4 10.0 s
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


def film(path, rate, pictures):
    with av.open(path, "w") as out:
        stream = out.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(pictures):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number % 200, np.uint8), "rgb24")
            out.mux(stream.encode(picture.reformat(format="yuv420p")))
        out.mux(stream.encode(None))


def added_up(path):
    with av.open(path) as source:
        return float(sum(packet.duration * packet.time_base for packet in source.demux(video=0) if packet.size))


found = []
for rate in (24, 25, 30, 60):
    for path in ("film.mkv", "film.mp4"):
        film(path, rate, 10 * rate)
    mkv, mp4 = added_up("film.mkv"), added_up("film.mp4")
    found.append((mkv, mp4))
    print(f"{rate} a second, {10 * rate} packets: mkv {mkv} s, mp4 {mp4} s")
if found != [(9.84, 10.0), (10.0, 10.0), (9.9, 10.0), (9.6, 10.0)]:
    sys.exit("changed: the durations add up to something else")
PY
venv/bin/python look.py
