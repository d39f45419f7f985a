"""Writing MP4 and GIF files.

Belongs here: containers and codecs. Does not belong here: what is to be seen or heard.

A file gets its name once it is complete, so that whoever watches the folder never sees half a file.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from emovid_assets.core.placing import put_into_place
from emovid_assets.demo.drawing import Image
from emovid_assets.demo.sound import SAMPLE_RATE_HZ, Samples

_TRANSPARENT = 255


def write_mp4(path: Path, frames: Iterable[Image], fps: int, samples: Samples) -> int:
    """Write H.264 and AAC, the index (moov) before the media; return the number of frames.

    `frames` are H × W × 3 RGB with even sides; `samples` are mono at SAMPLE_RATE_HZ.
    One thread, so that equal frames give equal bytes whatever the machine.
    """
    import av

    count = 0
    options = {"movflags": "+faststart"}
    with put_into_place(path) as unfinished, av.open(str(unfinished), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "23"})
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, options={"aac_coder": "fast"})
        audio.layout = "mono"
        audio.bit_rate = 48_000
        position = 0
        for pixels in frames:
            if count == 0:
                video.height, video.width = pixels.shape[:2]
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = count, Fraction(1, fps)
            container.mux(video.encode(picture))
            count += 1
            if count % fps == 0:
                position = _mux_sound(container, audio, samples, position, count * SAMPLE_RATE_HZ // fps)
        _mux_sound(container, audio, samples, position, len(samples))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return count


def _mux_sound(container: object, audio: object, samples: Samples, start: int, end: int) -> int:
    import av

    end = min(end, len(samples))
    if end > start:
        block = av.AudioFrame.from_ndarray(samples[None, start:end], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
        container.mux(audio.encode(block))  # type: ignore[attr-defined]
    return end


def write_gif(path: Path, frames: Sequence[Image], delays_ms: Sequence[int]) -> None:
    """Write an endless animated GIF with a transparent ground.

    `frames` are H × W × 4 RGBA, alpha 0 or 255. `delays_ms` are multiples of 10, one per frame.
    Every frame is whole and replaces the last one (disposal 2).
    """
    from PIL import Image as Pillow

    if len(frames) != len(delays_ms):
        raise ValueError(f"{len(frames)} frames but {len(delays_ms)} delays; give one delay per frame.")
    # One palette for all frames: no colour flickers, and the file is smaller.
    strip = Pillow.fromarray(np.concatenate([frame[..., :3] for frame in frames[:: max(1, len(frames) // 4)]]))
    palette = strip.quantize(colors=96, method=Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)
    pages = []
    for frame in frames:
        indexed = Pillow.fromarray(frame[..., :3]).quantize(palette=palette, dither=Pillow.Dither.NONE)
        numbers = np.asarray(indexed).copy()
        numbers[frame[..., 3] == 0] = _TRANSPARENT
        page = Pillow.fromarray(numbers, mode="P")
        page.putpalette(_full_palette(palette.getpalette() or []))
        page.info["transparency"] = _TRANSPARENT
        pages.append(page)
    with put_into_place(path) as unfinished:
        pages[0].save(
            unfinished,
            format="GIF",
            save_all=True,
            append_images=pages[1:],
            duration=list(delays_ms),
            loop=0,
            disposal=2,
            transparency=_TRANSPARENT,
            background=_TRANSPARENT,
            optimize=False,
        )


def _full_palette(colours: list[int]) -> list[int]:
    return (colours + [0] * 768)[:768]
