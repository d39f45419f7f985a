"""Which emotion the dataset's labeller recognises in generated videos, whichever labeller that is.

Belongs here: what the labeller is shown of them. Does not belong here: whether it is to be believed
(`core.generation.trust`), and how it answers (`models`).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emovid_assets.core.generation.measuring import evidence_of_video
from emovid_assets.core.labelling import ClipEvidence, LabelScore
from emovid_assets.resources import models
from emovid_assets.resources.workplace import Workplace

STEP = "label_generated"
_OF_FRAMES = ("duration_s", "frame_count", "colour_matrix", "is_colour_tagged")
_MOTION = ("sampled_pts_s", "sampled_changes")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class GeneratedVideos:
    """Rows of `generated_videos` of one domain that were measured, as a labeller is shown clips: without a source, so
    that no prompt names a title or holds what is said."""

    domain: str
    videos: Sequence[Row]
    measured: Mapping[str, Row]

    @cached_property
    def evidence(self) -> Sequence[ClipEvidence]:
        return [evidence_of_video(one, self.domain, self.measured[one]) for one in (v["video_id"] for v in self.videos)]

    def clip_rows(self) -> Iterator[dict[str, Any]]:
        for video in self.videos:
            found = self.measured[video["video_id"]]
            yield {
                "clip_id": video["video_id"],
                "source_id": None,
                "media_path": video["video_path"],
                "sha256": video["sha256"],
                **{name: found[name] for name in _OF_FRAMES},
                **{name: found["features"][name] for name in _MOTION},
            }

    def source_rows(self) -> Iterator[Row]:
        return iter(())


def recognise(
    project: Workplace, labeller: Row, shown: GeneratedVideos, log: logging.Logger
) -> models.Answers[LabelScore]:
    """Scores by `video_id`, by the labeller of that row of `emotion_labeller`. Raises as `models.label`."""
    return models.label(project, shown.domain, labeller, shown, log, step=STEP)
