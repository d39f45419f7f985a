# FFmpeg's MP4 muxer drops a colour matrix where the primaries or the transfer are not known too.
#
# Seen with av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6, Python 3.11.7.
#
# Matrix, primaries and transfer are three fields, each may be "unspecified" (2), and the matrix alone decides how YUV
# becomes RGB. Matroska keeps what is known. In MP4 all three are gone unless all three are known, and the range with
# them. MPEG-4 part 2 as FFmpeg writes it has no copy of its own in the bitstream, so the film has no tags any more.
# H.264 and others repeat the tags in the bitstream, which hides the loss.
#
# Output that was seen (matrix, primaries, transfer, range; 1 is BT.709, for the range "limited"):
#   written (1, 2, 2, 1): mkv (1, 2, 2, 1), mp4 (2, 2, 2, 0)
#   written (1, 1, 2, 1): mkv (1, 1, 2, 1), mp4 (2, 2, 2, 0)
#   written (1, 1, 1, 1): mkv (1, 1, 1, 1), mp4 (1, 1, 1, 1)
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


def film(path, rate, pictures, tags=None):
    with av.open(path, "w") as out:
        stream = out.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = tags
        for number in range(pictures):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number % 200, np.uint8), "rgb24")
            out.mux(stream.encode(picture.reformat(format="yuv420p")))
        out.mux(stream.encode(None))


def tags_of(path):
    with av.open(path) as source:
        context = source.streams.video[0].codec_context
        return tuple(map(int, (context.colorspace, context.color_primaries, context.color_trc, context.color_range)))


found = []
for tags in ((1, 2, 2, 1), (1, 1, 2, 1), (1, 1, 1, 1)):
    for path in ("film.mkv", "film.mp4"):
        film(path, 24, 2, tags)
    found.append((tags_of("film.mkv") == tags, tags_of("film.mp4") == tags))
    print(f"written {tags}: mkv {tags_of('film.mkv')}, mp4 {tags_of('film.mp4')}")
if found != [(True, False), (True, False), (True, True)]:
    sys.exit("changed: MP4 keeps other colour tags")
PY
venv/bin/python look.py
