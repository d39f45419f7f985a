# FFmpeg's GIF demuxer gives a packet too many where a comment follows the last picture.
#
# Seen with av 18.1.0 (FFmpeg 8.1.2), pillow 13.0.0, Python 3.11.7.
#
# A comment block may stand anywhere between pictures. Before the first or between two it goes into the packet of the
# next picture. After the last picture there is none to go into: it comes as a packet of its own, with a stamp and
# a duration as if a picture were shown. Pictures decoded and `stream.frames` are right; whoever counts packets, or
# takes the film's end from the last one, has a picture too many.
#
# Output that was seen:
#   no comment:       5 pictures, 5 packets, the last one ends at 0.5 s
#   before picture 1: 5 pictures, 5 packets, the last one ends at 0.5 s
#   after picture 5:  5 pictures, 6 packets, the last one ends at 0.6 s
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq av==18.1.0 pillow==13.0.0; } || exit 2

cat >look.py <<'PY'
import sys
from pathlib import Path

import av
from PIL import Image

COMMENT = b"\x21\xfe\x05drawn\x00"

pictures = []
for number in range(5):
    picture = Image.new("RGB", (64, 48), "navy")
    picture.paste("yellow", (8 * number, 10, 8 * number + 8, 20))
    pictures.append(picture)
pictures[0].save("plain.gif", save_all=True, append_images=pictures[1:], duration=100)
plain = Path("plain.gif").read_bytes()
first = plain.index(b"\x21\xf9\x04")
films = {
    "no comment:      ": plain,
    "before picture 1:": plain[:first] + COMMENT + plain[first:],
    "after picture 5: ": plain[:-1] + COMMENT + plain[-1:],
}

found = []
for name, film in films.items():
    Path("film.gif").write_bytes(film)
    with av.open("film.gif") as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    with av.open("film.gif") as source:
        shown = len(list(source.decode(video=0)))
    end = float((packets[-1].pts + packets[-1].duration) * packets[-1].time_base)
    found.append((shown, len(packets)))
    print(f"{name} {shown} pictures, {len(packets)} packets, the last one ends at {end} s")
if found != [(5, 5), (5, 5), (5, 6)]:
    sys.exit("changed: a comment after the last picture is no packet of its own")
PY
venv/bin/python look.py
