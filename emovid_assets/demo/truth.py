"""What is known of the demo library: which emotion was drawn where.

Belongs here: the record and its file `demo/truth.json`. Does not belong here: how the library is made.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from emovid_assets.core.placing import put_text

FORMAT_VERSION = 1


class Span(NamedTuple):
    """One scene: half-open interval in seconds from the first frame, and the emotion drawn in it."""

    start_s: float
    end_s: float
    emotion: str


@dataclass
class Truth:
    """The emotions of a demo library.

    `files` maps a path below `library/` (such as `movie/x.mp4`) to its scenes in order. `others` are the
    remaining files that the demo wrote (manifests and the damaged ones), also below `library/`.
    """

    size: str
    seed: int
    files: dict[str, list[Span]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    @staticmethod
    def path_in(home: Path) -> Path:
        """Where the record lies in a home folder."""
        return home / "demo" / "truth.json"

    @classmethod
    def load(cls, home: Path) -> "Truth":
        """Read the record.

        Raises FileNotFoundError where there is no demo library, ValueError where the file is of another format.
        """
        path = cls.path_in(home)
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; make the demo library first with `emovid demo`.")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("format") != FORMAT_VERSION:
            raise ValueError(
                f"{path} has format {content.get('format')}, not {FORMAT_VERSION}; remove the demo's home."
            )
        files = {name: [Span(**span) for span in spans] for name, spans in content["files"].items()}
        return cls(size=content["size"], seed=content["seed"], files=files, others=content["others"])

    def save(self, home: Path) -> None:
        """Write the record; it appears whole or not at all."""
        content = {"format": FORMAT_VERSION, **asdict(self)}
        content["files"] = {name: [span._asdict() for span in spans] for name, spans in self.files.items()}
        put_text(self.path_in(home), json.dumps(content, indent=1))

    def emotion_at(self, library_path: str, start_s: float, end_s: float) -> str:
        """Emotion of the scene that overlaps [start_s, end_s) the most; of equals, the first.

        Raises KeyError for a file that the demo did not make, ValueError where no scene overlaps.
        """
        if library_path not in self.files:
            raise KeyError(f"{library_path} is not a file of the demo library.")
        overlaps = [
            (min(end_s, span.end_s) - max(start_s, span.start_s), -index, span.emotion)
            for index, span in enumerate(self.files[library_path])
        ]
        longest = max(overlaps)
        if longest[0] <= 0:
            raise ValueError(f"No scene of {library_path} overlaps {start_s}–{end_s} s; check the interval.")
        return longest[2]
