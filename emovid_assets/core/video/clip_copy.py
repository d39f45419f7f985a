"""Clip files without decoding: the packets of the source in a new MP4, shown from the cut to the end of the clip.

Belongs here: copies that show exactly the frames of the segment by their edit list. Does not belong here: which packets
there are (`clip_source`), clips that hide nothing (`clip_join`).

A clip that starts between key frames carries the pictures since the key frame before; its edit list hides them. The
same holds for packets of sound before the cut, which decoders need as a run-up, and for a picture behind the end to
which the last ones refer. FFmpeg follows edit lists to the frame, and Chromium shows the same frames; Firefox, OpenCV
and decord show or count hidden ones, which is why it takes a setting to get such files.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from emovid_assets.core.video.clip_mux import ClipSound, verified, write_packets, writing
from emovid_assets.core.video.clip_source import LEAD_IN_FRAMES, CannotCopyError, Source
from emovid_assets.core.video.sound import Sound
from emovid_assets.core.video.written import Written, codec_name


def copy_clip(source: Source, segment: dict[str, Any], target: Path, read_sound: Callable[[], Sound | None]) -> Written:
    """Writes the clip to `target`. Raises CannotCopyError where copying cannot show exactly its frames.

    `read_sound` decodes the interval's sound; it is called only where the packets of the sound cannot be copied.
    """
    packets = source.packets(segment)
    start, end = segment["start_pts"], segment["end_pts"]
    inside = sum(start <= packet.pts < end for packet in packets.video)
    if len(packets.video) - inside > LEAD_IN_FRAMES:
        raise CannotCopyError("no_key_frame")
    if codec_name(source.video) == "av1" and len(packets.video) != inside:
        raise CannotCopyError("hidden_frames")
    tick = Fraction(source.video.time_base)
    stamps = sorted(float((p.pts - start) * tick) for p in packets.video if start <= p.pts < end)
    with writing():
        track = source.sound_track(packets, segment)
        samples = read_sound() if source.has_sound(segment) and track is None else None
        write_packets(target, source.video, packets.video, segment, ClipSound(source.audio, track, samples))
        return verified(target, source.video, stamps, float((end - start) * tick))
