"""Small real media files with known content, for tests.

`coded` frames carry their index in their colours, so that a test can tell which frames were looked at.
QuickTime RLE keeps RGB exactly; other codecs are for what only they have.
"""

import io
import struct
import subprocess
from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

SOUND_RATE = 48_000


def coded(index: int, height: int = 24, width: int = 32) -> np.ndarray:
    """A flat frame whose colour differs from that of every other index below 65,536 and from its neighbours'."""
    shuffled = index * 40503 % 65536
    return np.full((height, width, 3), (shuffled >> 8, shuffled & 255, index % 5 * 50), np.uint8)


def scenery(scene: int, index: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Frame `index` of a film: the texture of its scene drifting to the right, under a line that codes the index."""
    random = np.random.default_rng(scene)
    base = np.array([(200, 120, 40), (20, 20, 30), (60, 200, 220), (10, 60, 10), (240, 240, 200)][scene % 5])
    texture = np.clip(base + random.integers(-4, 5, (height, width, 3)), 0, 255).astype(np.uint8)
    frame = np.roll(texture, index, axis=1)
    frame[0] = coded(index, 1, width)[0]
    return frame


def beeps(seconds: float, *at_s: float, length_s: float = 0.1, rate: int = SOUND_RATE) -> np.ndarray:
    """float32 (n,): silence with tones of 1 kHz that begin at the given times."""
    samples = np.zeros(round(seconds * rate), np.float32)
    for start in at_s:
        first, count = round(start * rate), round(length_s * rate)
        tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(count) / rate)
        samples[first : first + count] = tone[: len(samples) - first]
    return samples


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    fps: int | Fraction = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    last_duration: int | None = None,
    codec: str = "qtrle",
    pix_fmt: str = "rgb24",
    options: dict[str, str] | None = None,
    sound: np.ndarray | None = None,
    sound_codec: str = "pcm_s16le",
    sound_start_s: float = 0.0,
    sound_rate: int = SOUND_RATE,
    aspect: Fraction | None = None,
    colour_tag: int | None = None,
    forced: Collection[int] = (),
) -> Path:
    """Writes RGB (or RGBA) frames. `pts` count ticks of `time_base`; without them the rate is constant.

    `colour_tag` tags and converts to that matrix (1: BT.709). Frames in `forced` become key frames.
    """
    rate = Fraction(fps)
    tick = time_base or 1 / rate
    stamps = list(pts) if pts is not None else list(range(len(frames)))
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = tick
        stream.options = options or {}
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if colour_tag:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = colour_tag
            context.color_range = 1
        audio = output.add_stream(sound_codec, rate=sound_rate, layout="mono") if sound is not None else None
        for number, (stamp, pixels) in enumerate(zip(stamps, frames, strict=True)):
            form = "rgba" if pixels.shape[2] == 4 else "rgb24"
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), form)
            if colour_tag:
                picture = picture.reformat(format=pix_fmt, dst_colorspace=colour_tag, dst_color_range=1)
            picture.pts, picture.time_base = stamp, tick
            if number in forced:
                picture.pict_type = av.video.frame.PictureType.I
            for packet in stream.encode(picture):
                _set_duration(packet, stamps, tick, last_duration)
                output.mux(packet)
        for packet in stream.encode(None):
            _set_duration(packet, stamps, tick, last_duration)
            output.mux(packet)
        if audio is not None and sound is not None:
            block = 1024
            for offset in range(0, len(sound), block):
                piece = sound[None, offset : offset + block]
                is_float = sound_codec in ("aac", "libvorbis", "vorbis")
                values = piece if is_float else (piece * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(values), format="fltp" if is_float else "s16", layout="mono"
                )
                frame.sample_rate, frame.time_base = sound_rate, Fraction(1, sound_rate)
                frame.pts = offset + round(sound_start_s * sound_rate)
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path


def _set_duration(packet: av.Packet, stamps: Sequence[int], tick: Fraction, last: int | None) -> None:
    index = stamps.index(round(packet.pts * Fraction(packet.time_base) / tick))
    step = stamps[index + 1] - stamps[index] if index + 1 < len(stamps) else last
    if step:
        packet.duration = round(step * tick / Fraction(packet.time_base))


def write_animation(
    path: Path, frames: Sequence[np.ndarray], delays_ms: Sequence[int] | int, **options: object
) -> Path:
    """Writes a GIF, animated WebP (lossless) or APNG, by the suffix; RGBA frames keep their transparency."""
    images = [Image.fromarray(pixels) for pixels in frames]
    if path.suffix == ".webp":
        options = {"lossless": True, "exact": True} | options
    delays = delays_ms if isinstance(delays_ms, int) else list(delays_ms)
    # Equal frames would be merged; a test that wants them says so by its own means.
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=delays, loop=0, disposal=2, **options
    ) if path.suffix == ".gif" else images[0].save(
        path, save_all=True, append_images=images[1:], duration=delays, loop=0, **options
    )
    return path


def write_hiding_vp8(path: Path, frames: Sequence[np.ndarray], *, fps: int = 25, key_distance: int = 128) -> Path:
    """VP8 with packets that are not shown, which libvpx makes of what it has learned in a first pass."""
    height, width = frames[0].shape[:2]
    options = {"deadline": "good", "cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "100k"}
    options["g"] = str(key_distance)
    command = [get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", str(fps), "-i", "-", "-c:v", "libvpx"]
    command += [part for name, value in options.items() for part in (f"-{name}", value)]
    log = ["-passlogfile", f"{path}.log"]
    pixels = b"".join(np.ascontiguousarray(frame).tobytes() for frame in frames)
    for number, end in (("1", ["-f", "null", "-"]), ("2", [str(path)])):
        subprocess.run([*command, "-pass", number, *log, *end], input=pixels, check=True)
    return path


def append_video(path: Path, second: Path) -> None:
    """Adds the pictures of another file of the same codec to a WebM file, whatever their size."""
    with av.open(str(path)) as one, av.open(str(second)) as other:
        packets = [[packet for packet in film.demux(video=0) if packet.size] for film in (one, other)]
        step = packets[0][-1].pts - packets[0][-2].pts
        joined = io.BytesIO()
        with av.open(joined, "w", format="webm") as output:
            stream = output.add_stream_from_template(one.streams.video[0], opaque=True)
            begin = 0
            for part in packets:
                for packet in part:
                    packet.pts += begin
                    packet.dts, packet.stream = packet.pts, stream
                    output.mux_one(packet)
                begin = packets[0][-1].pts + step
    path.write_bytes(joined.getvalue())


def rotate_display(path: Path, degrees: int) -> None:
    """Turns the picture of an MP4 or MOV clockwise by 90, 180 or 270 degrees in the track header's display matrix."""
    one = 1 << 16
    a, b, c, d = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[degrees]
    data = bytearray(path.read_bytes())
    # Version 0 header: type, version and flags, 20 bytes of times and ids, 16 of reserve, layer and volume.
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 16
    data[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def pixels_of(path: Path) -> list[np.ndarray]:
    """Every frame of a file as RGB, by PyAV alone."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
