"""The user study: videos of pairs of generators out, what people prefer in.

Belongs here: what `emovid study make`, `push`, `pull` and `status` do. Does not belong here: which pairs there are
(`core.generation.study_pairs`), what a screen looks like (`core.generation.study_screen`), which answers count
(`core.generation.preference_answers`), files to fill in (`study_files`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation.study_screen import KEY_PREFIX, projects
from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation_server
from emovid_assets.people.answers import read_preferences_of
from emovid_assets.people.server import NothingToPushError, Progress, Pulled, Pushed
from emovid_assets.people.taking_in import PREFERENCES
from emovid_assets.resources.blind_videos import BlindVideos, blind_videos
from emovid_assets.resources.label_studio import LabelStudio
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

Tell = Callable[[str, int, int], None]


class NothingToCompareError(NothingToPushError):
    """There are no pairs; the message says what is missing."""


@dataclass(frozen=True)
class Made:
    """The study of one domain. `compared`: pairs by the two generators, for whoever makes the study alone."""

    domain: str
    tasks: list[dict[str, Any]]
    videos: BlindVideos
    compared: Mapping[tuple[str, str], int]

    @property
    def check_count(self) -> int:
        return sum(task["expected"] is not None for task in self.tasks)


@dataclass(frozen=True)
class Answered:
    """How far the files of `library/preferences/` are in one domain, attention checks left out. `finished_count`:
    pairs that as many people have answered as are asked for. `people`: all who have answered anything."""

    domain: str
    pair_count: int
    answered_count: int
    finished_count: int
    people: frozenset[str]


def make(home: Home, domains: Sequence[str] = DOMAINS, tell: Tell = lambda step, done, of: None) -> list[Made]:
    """Makes the files that people see, as far as they are missing. Raises NothingToCompareError."""
    warehouse = Warehouse(home.warehouse)
    made = []
    for domain in domains:
        tasks = rows_of(warehouse.read("preference_tasks", domain))
        if not tasks:
            continue
        videos = rows_of(warehouse.read("generated_videos", domain), ["video_id", "video_path"])
        shown = blind_videos(home, tasks, videos, partial(tell, f"videos of {domain}"))
        pairs = [task for task in tasks if task["expected"] is None]
        compared = Counter(tuple(sorted((task["generator_a"], task["generator_b"]))) for task in pairs)
        made.append(Made(domain, sorted(tasks, key=lambda task: task["position"]), shown, dict(compared)))
    if not made:
        raise NothingToCompareError(_what_is_missing(warehouse, domains))
    return made


def _what_is_missing(warehouse: Warehouse, domains: Sequence[str]) -> str:
    generators = {
        name for domain in domains for name in warehouse.read("generated_videos", domain)["generator"].to_pylist()
    }
    if not generators:
        return "there are no generated videos to compare yet (docs/generation.md says how to get some)"
    if len(generators) == 1:
        return f"there are videos of {generators.pop()} alone: a study compares two generators or more"
    return "no two generators have a video of one prompt and seed, or no pairs are drawn yet; run: emovid build"


def require_pairs(home: Home, domains: Sequence[str] = DOMAINS) -> None:
    """Raises NothingToCompareError where no pairs are drawn."""
    warehouse = Warehouse(home.warehouse)
    if not any(warehouse.row_count("preference_tasks", domain) for domain in domains):
        raise NothingToCompareError(_what_is_missing(warehouse, domains))


def answered(home: Home) -> list[Answered]:
    """What files hold of answers, as a build would take them, by domain with pairs. Raises NothingToCompareError,
    SettingsError, KeyFileError."""
    require_pairs(home)
    annotators, warehouse = home.settings().generation.study_annotators, Warehouse(home.warehouse)
    found = []
    for domain in DOMAINS:
        tasks = warehouse.read("preference_tasks", domain)
        pairs = {row["task_id"] for row in rows_of(tasks) if row["expected"] is None}
        accepted, _ = read_preferences_of(home, domain, preference_tasks=tasks, is_kept=False)
        people: dict[str, set[str]] = {}
        for row in accepted:
            if row["task_id"] in pairs:
                people.setdefault(row["task_id"], set()).add(row["annotator_id"])
        if pairs:
            finished = sum(len(of_pair) >= annotators for of_pair in people.values())
            everybody = frozenset(row["annotator_id"] for row in accepted)
            found.append(Answered(domain, len(pairs), len(people), finished, everybody))
    return found


def push(
    home: Home, server: LabelStudio, domains: Sequence[str] = DOMAINS, tell: Tell = lambda step, done, of: None
) -> list[Pushed]:
    """As `people.server.push`, a project a domain. Raises NothingToCompareError, LabelStudioError."""
    annotators = home.settings().generation.study_annotators
    wanted = [
        project
        for made in make(home, domains, tell)
        for project in projects(made.domain, made.tasks, made.videos.files, annotators=annotators)
    ]
    return annotation_server.bring(server, wanted, is_study, home.study_videos)


def pull(home: Home, server: LabelStudio) -> list[Pulled]:
    """As `people.server.pull`, into `library/preferences/`. Raises LabelStudioError."""
    return annotation_server.pull(home, server, is_study, PREFERENCES)


def status(home: Home, server: LabelStudio) -> list[Progress]:
    """As `people.server.status`. Raises LabelStudioError, KeyFileError."""
    return annotation_server.status(home, server, is_study)


def is_study(key: str) -> bool:
    """Whether a project of that key is one of a study."""
    return key.startswith(KEY_PREFIX)
