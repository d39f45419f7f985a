"""Still pictures of another dataset, looked at as clips of one frame.

Belongs here: what is known of them and where that is kept, apart from the library: hashes, measurements, answers of
models, all by picture, so that a run that is stopped goes on. Does not belong here: which pictures (`core.emoset`), and
what is done with the answers.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets.core.emoset import Fault, Picture
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.labelling import ClipEvidence
from emovid_assets.core.video import stills
from emovid_assets.core.video.errors import sentence
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.resources.compute import BatchStep, Item, Outcome, Step
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.workplace import ALL_DOMAINS, PlainWorkplace

FOLDER = "emoset"
"""Below the home: state and models of these pictures."""
NO_DOMAIN = ""
"""Pictures are of none of the three, and the embedded labeller is told so."""


class PictureProject(PlainWorkplace):
    """A folder below a home, with the home's settings: what is kept there is no part of the dataset."""

    @classmethod
    def below(cls, home: Home) -> "PictureProject":
        return cls(home_folder=str(home.root / FOLDER))

    @property
    def settings(self) -> Settings:
        return Home(self.home.root.parent).settings()

    def compute(
        self,
        step: Step | BatchStep,
        domain: str,
        items: Iterable[Item],
        log: logging.Logger,
        *,
        leave_failures: bool = False,
        keep_others: bool = True,
        never_asked: Collection[str] = (),
    ) -> Outcome:
        """As of the library, but what is known of other pictures stays, and no number of failures is too high."""
        return self._computed(step, domain, items, log, leave_failures=leave_failures, keep_others=keep_others)


@dataclass(frozen=True)
class Seen:
    """A picture that could be read: its file, what the embedded labeller looks at, and what measuring cost in CPU-s."""

    picture: Picture
    sha256: str
    evidence: ClipEvidence
    cpu_s: float

    def clip_row(self, folder: Path) -> dict[str, Any]:
        """As `ClipTables.clip_rows` has it: a clip of one frame that lasts no time. Its colours are not guessed."""
        return {
            "clip_id": self.picture.picture_id,
            "source_id": self.picture.picture_id,
            "media_path": str(folder / self.picture.path),
            "sha256": self.sha256,
            "colour_matrix": "rgb",
            "is_colour_tagged": True,
            "duration_s": 0.0,
            "frame_count": 1,
            "sampled_pts_s": [0.0],
            "sampled_changes": [0.0],
        }


def hashed(project: PictureProject, folder: Path, pictures: Iterable[Picture]) -> tuple[dict[str, str], list[Fault]]:
    """SHA-256 of the files by path, read where size or time are new; and which could not be read."""

    def read(store: ItemStore) -> tuple[dict[str, str], list[Fault]]:
        known = store.known_hashes(f"{folder}/")
        found: dict[str, str] = {}
        news: list[tuple[str, int, int, str]] = []
        faults: list[Fault] = []
        for picture in pictures:
            path = folder / picture.path
            try:
                status = path.stat()
                facts = (status.st_size, status.st_mtime_ns)
                before = known.get(str(path))
                if before is not None and before[:2] == facts:
                    found[picture.path] = before[2]
                else:
                    found[picture.path] = file_sha256(path)
                    news.append((str(path), *facts, found[picture.path]))
            except OSError as error:
                why = sentence("unreadable", f"{type(error).__name__}: {error.strerror}")
                faults.append(Fault(picture.split, picture.path, "unreadable", why))
        store.remember_hashes(news)
        return found, faults

    result: tuple[dict[str, str], list[Fault]] = project.with_store(read)
    return result


def looked_at(
    project: PictureProject, folder: Path, pictures: Iterable[Picture], sha256: Mapping[str, str], log: logging.Logger
) -> tuple[dict[str, Seen], list[Fault]]:
    """The pictures that can be read, by id, and what is wrong with the others. Each file is measured once."""
    known = {picture.picture_id: picture for picture in pictures if picture.path in sha256}
    step = Step("picture", stills.MEASURES_VERSION, "", stills.measured)
    items = (
        Item(
            picture.picture_id,
            content=sha256[picture.path],
            arguments={"path": str(folder / picture.path), "max_pixels": project.settings.media.max_pixels},
            path=picture.path,
            input_sha256=sha256[picture.path],
        )
        for picture in known.values()
    )
    outcome = project.compute(step, ALL_DOMAINS, items, log)
    seen = {
        picture_id: Seen(
            known[picture_id], sha256[known[picture_id].path], _evidence(picture_id, found), found["cpu_s"]
        )
        for picture_id, found in outcome.payloads.items()
    }
    return seen, list(faults_of(outcome, known))


def faults_of(outcome: Outcome, pictures: Mapping[str, Picture]) -> Iterator[Fault]:
    """What failed of these pictures; the store knows of failures of others too."""
    for failure in outcome.failures:
        picture = pictures.get(failure.item_id)
        if picture is not None and failure.item_id not in outcome.payloads:
            yield Fault(picture.split, picture.path, failure.code, failure.message)


def _evidence(picture_id: str, found: Mapping[str, Any]) -> ClipEvidence:
    colour = colour_attributes(ColourSums(*found["colour"]))
    return ClipEvidence(picture_id, NO_DOMAIN, found["features"]["duration_s"], found["features"], colour)
