"""Films whose sound has holes, faults or changes, and readings of their sound that share no code with ours.

Belongs here: how packets are dropped, damaged and joined, and what FFmpeg and PyAV hear. Does not belong here: what is
asked of them. A scene lasts two seconds and has a tone of its own.
"""

import shutil
import subprocess
from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from emovid_assets_tests.media.making import scenery

FFMPEG = shutil.which("ffmpeg") or get_ffmpeg_exe()
SCENE_S = 2
TONES_HZ = (440, 880, 1320, 1760)
LEVELS = (0.2, 0.4, 0.05, 0.3)


def tones(rate: int, scenes: Collection[int] = range(4)) -> np.ndarray:
    """float32 (n,): the tones of the scenes, one after the other."""
    at = np.arange(SCENE_S * rate) / rate
    parts = [LEVELS[scene] * np.sin(2 * np.pi * TONES_HZ[scene] * at) for scene in scenes]
    return np.concatenate(parts).astype(np.float32)


def write_scenes(
    path: Path,
    codec: str = "aac",
    *,
    rate: int = 48_000,
    layout: str = "mono",
    scenes: Collection[int] = range(4),
    start_s: float = 0.0,
    sound_late_s: float = 0.0,
) -> Path:
    """H.264 of 64×48 at 25 Hz that begins at `start_s`, with sound that begins `sound_late_s` later."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0", "g": "25"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = output.add_stream(codec, rate=rate, layout=layout)
        for index in range(25 * SCENE_S * len(scenes)):
            scene = list(scenes)[index // (25 * SCENE_S)]
            picture = av.VideoFrame.from_ndarray(scenery(scene, index), "rgb24")
            picture.pts, picture.time_base = index + round(start_s * 25), Fraction(1, 25)
            output.mux(video.encode(picture))
        samples = np.repeat(tones(rate, scenes)[None], audio.codec_context.channels, axis=0)
        sound = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        sound.sample_rate, sound.time_base = rate, Fraction(1, rate)
        size = audio.codec_context.frame_size or rate // 50
        to_encoder = av.AudioResampler(audio.codec_context.format.name, layout, rate, size)
        for number, frame in enumerate(to_encoder.resample(sound) + to_encoder.resample(None)):
            frame.pts, frame.time_base = number * size + round((start_s + sound_late_s) * rate), Fraction(1, rate)
            output.mux(audio.encode(frame))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    return path


def write_vorbis(path: Path) -> Path:
    """The four scenes with Vorbis, for which PyAV's wheel has no sound encoder."""
    plain = write_scenes(path.with_suffix(".mov"), "pcm_s16le")
    command = [FFMPEG, "-v", "error", "-y", "-i", str(plain), "-c:v", "copy", "-c:a", "libvorbis", str(path)]
    subprocess.run(command, check=True)
    return path


def remuxed(
    source: Path,
    target: Path,
    *,
    is_dropped: Callable[[int, float], bool] = lambda number, at_s: False,
    strays: Callable[[int], float] = lambda number: 0.0,
    sound_late_s: float = 0.0,
) -> Path:
    """The same packets but some of the sound's, by number and time; where parts overlap, the first stays.

    `strays`: by how much the stamp of a packet of the sound is wrong, in s.
    """
    with av.open(str(source)) as film, av.open(str(target), "w") as output:
        streams = [film.streams.video[0], film.streams.audio[0]]
        copies = {stream.index: output.add_stream_from_template(stream) for stream in streams}
        late = round(sound_late_s / streams[1].time_base)
        number, last = -1, None
        for packet in film.demux(streams):
            if packet.dts is None:
                continue
            if packet.stream is streams[1]:
                number += 1
                if is_dropped(number, float(packet.pts * packet.time_base)) or (last and packet.dts <= last):
                    continue
                last = packet.dts + (packet.duration or 0) - round(0.002 / packet.time_base)
                moved = late + round(strays(number) / packet.time_base)
                packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
            packet.stream = copies[packet.stream.index]
            output.mux(packet)
    return target


def with_damage(path: Path, target: Path, start_s: float, end_s: float) -> int:
    """A copy in which every packet of sound of the interval is overwritten; how many they are."""
    data, chance, count = bytearray(path.read_bytes()), np.random.default_rng(0), 0
    with av.open(str(path)) as film:
        for packet in film.demux(film.streams.audio[0]):
            if packet.pts is not None and start_s <= packet.pts * packet.time_base < end_s:
                data[packet.pos : packet.pos + packet.size] = chance.bytes(packet.size)
                count += 1
    target.write_bytes(data)
    return count


def heard_by_ffmpeg(path: Path, rate: int = 16_000) -> np.ndarray:
    """float32 (n,): one channel from the file's own zero, as the command line plays it."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"]
    played = subprocess.run(
        [*command, "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"], capture_output=True, check=True
    )
    return np.frombuffer(played.stdout, np.float32)


def heard_by_pyav(path: Path) -> tuple[np.ndarray, int]:
    """float32 (n,) and the rate: the first channel, each frame placed by its own stamp."""
    with av.open(str(path)) as film:
        rate = film.streams.audio[0].rate
        heard = np.zeros(rate * 30, np.float32)
        end = 0
        for packet in film.demux(film.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                samples = frame.to_ndarray()
                if frame.format.name == "s16":
                    samples = samples.reshape(-1, frame.layout.nb_channels).T
                if frame.format.name.startswith("s16"):
                    samples = samples / 32768
                first = round(float(frame.pts * frame.time_base) * rate)
                skipped = max(0, -first)
                heard[first + skipped : first + samples.shape[1]] = samples[0, skipped:]
                end = max(end, first + samples.shape[1])
    return heard[:end], rate


def envelope(samples: np.ndarray, rate: int, window_s: float = 0.02) -> np.ndarray:
    """float64 (n,): the level of each window, which a shift by less than a millisecond hardly changes."""
    size = round(rate * window_s)
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    return np.sqrt((windows**2).mean(axis=1))


def pitch(samples: np.ndarray, rate: int) -> float:
    """The loudest frequency in Hz."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(power) * rate / len(samples))
