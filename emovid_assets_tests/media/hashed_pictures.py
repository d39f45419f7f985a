"""The hash over all pictures of a clip, as docs/release.md tells people to compute it: with PyAV alone."""

import hashlib
from pathlib import Path

import av


def sha256_of_pictures(path: Path, threads: int = 1) -> str:
    """What docs/release.md tells people to compute, with PyAV alone."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        for picture in container.decode(stream):
            name = picture.format.name.replace("yuvj", "yuv")
            digest.update(f"{name} {picture.width}x{picture.height}\n".encode())
            sample_bytes = 2 if picture.format.components[0].bits > 8 else 1
            for plane in picture.planes:
                data = bytes(plane)
                for row in range(plane.height):
                    start = row * plane.line_size
                    digest.update(data[start : start + plane.width * sample_bytes])
    return digest.hexdigest()
