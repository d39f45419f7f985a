"""The sound of a clip file, from samples: an AAC track of MP4, Opus for WebM.

Belongs here: encoding sound. Does not belong here: where the samples come from (`sound`).
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from emovid_assets.core.video.sound import Sound

AAC_FRAME = 1024
OPUS_FRAME, OPUS_BIT_RATE = 960, 128_000
"""libopus's packets by default: 20 ms at 48 kHz."""


def add_sound_track(output: Any, sound: Sound | None) -> Any:
    """The new stream of a PyAV output; null where there is no sound."""
    if sound is None:
        return None
    return output.add_stream("aac", rate=sound.rate_hz, layout=_layout(sound))


def write_sound(output: Any, stream: Any, sound: Sound) -> None:
    """Encodes all samples; the first is heard at zero."""
    for frame in _frames(sound):
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def opus_of(sound: Sound) -> tuple[bytes, list[tuple[bytes, int, int]]]:
    """Samples at 48 kHz as Opus: its header, and packets as (bytes, stamp, duration) in samples from the first."""
    import av

    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = sound.rate_hz, _layout(sound), "flt"
    encoder.bit_rate = OPUS_BIT_RATE
    made = [packet for frame in (*_frames(sound), None) for packet in encoder.encode(frame)]
    header = bytes(encoder.extradata)
    first = -int.from_bytes(header[10:12], "little")
    return header, [(bytes(packet), first + n * OPUS_FRAME, OPUS_FRAME) for n, packet in enumerate(made)]


def _frames(sound: Sound) -> Iterator[Any]:
    import av

    for offset in range(0, sound.samples.shape[1], AAC_FRAME):
        block = np.ascontiguousarray(sound.samples[:, offset : offset + AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=_layout(sound))
        frame.sample_rate, frame.pts, frame.time_base = sound.rate_hz, offset, Fraction(1, sound.rate_hz)
        yield frame


def _layout(sound: Sound) -> str:
    return "mono" if sound.samples.shape[0] == 1 else "stereo"
