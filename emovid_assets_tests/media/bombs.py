"""Small files that stand for gigabytes of pictures, and the child process that measures what refusing them takes."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.probe import probe_file
from emovid_assets_tests.media.damage import peak_bytes


def bomb(path: Path) -> Path:
    """A GIF, APNG, animated WebP or FFV1 film of two or more pictures of 190 megapixels or more."""
    {".gif": _gif, ".png": _apng, ".webp": _webp, ".mkv": _mkv}[path.suffix](path)
    return path


def _gif(path: Path) -> None:
    frame = b"\x21\xf9\x04\0\1\0\0\0" + b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    head = b"GIF89a" + struct.pack("<2H", 65535, 65535) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    path.write_bytes(head + 100 * frame + b";")


def _apng(path: Path, side: int = 16000) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def control(number: int, width: int) -> bytes:
        return chunk(b"fcTL", struct.pack(">5I2H2B", number, width, width, 0, 0, 1, 10, 0, 0))

    grey = struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", grey), chunk(b"acTL", struct.pack(">2I", 2, 0)), control(0, side)]
    parts += [chunk(b"IDAT", zlib.compress(bytes((side + 1) * side), 9)), control(1, 1)]
    parts += [chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0\0")), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _webp(path: Path, side: int = 16383) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    def uint24(value: int) -> bytes:
        return value.to_bytes(3, "little")

    # One pixel of lossless WebP.
    picture = chunk(b"VP8L", bytes.fromhex("2f00000000073000000000"))
    frame = chunk(b"ANMF", b"".join(map(uint24, (0, 0, 0, 0, 100))) + b"\0" + picture)
    body = b"WEBP" + chunk(b"VP8X", b"\2\0\0\0" + uint24(side - 1) + uint24(side - 1)) + chunk(b"ANIM", bytes(6))
    body += 50 * frame
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def _mkv(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16000, 12000, "gray"
        picture = av.VideoFrame(16000, 12000, "gray")
        picture.planes[0].update(bytes(picture.planes[0].buffer_size))
        for pts in range(2):
            picture.pts = pts
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


def in_a_child(path: Path) -> tuple[str, int]:
    """The code that probing ends with in a process of its own, and by how many bytes its peak memory grew."""
    command = [sys.executable, "-m", __name__, str(path)]
    code, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return code, int(grown)


def _measure(path: Path) -> None:
    from PIL import Image  # noqa: F401 - its import is no part of the growth

    before = peak_bytes()
    try:
        probe_file(path)
        code = "accepted"
    except MediaError as error:
        code = error.code
    print(code, peak_bytes() - before)  # noqa: T201


if __name__ == "__main__":
    _measure(Path(sys.argv[1]))
