"""The AAC track of a clip file, from samples.

Belongs here: encoding sound into an open output. Does not belong here: where the samples come from (`sound`).
"""

from fractions import Fraction
from typing import Any

import numpy as np

from emovid_assets.core.video.sound import Sound

AAC_FRAME = 1024


def add_sound_track(output: Any, sound: Sound | None) -> Any:
    """The new stream of a PyAV output; null where there is no sound."""
    if sound is None:
        return None
    return output.add_stream("aac", rate=sound.rate_hz, layout=_layout(sound))


def write_sound(output: Any, stream: Any, sound: Sound) -> None:
    """Encodes all samples; the first is heard at zero."""
    import av

    for offset in range(0, sound.samples.shape[1], AAC_FRAME):
        block = np.ascontiguousarray(sound.samples[:, offset : offset + AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=_layout(sound))
        frame.sample_rate, frame.pts, frame.time_base = sound.rate_hz, offset, Fraction(1, sound.rate_hz)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _layout(sound: Sound) -> str:
    return "mono" if sound.samples.shape[0] == 1 else "stereo"
