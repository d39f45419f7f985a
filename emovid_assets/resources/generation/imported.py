"""Videos of generators that ran elsewhere: which of them a domain has, and what its files hold.

Belongs here: the step `read_generated`, and every file that cannot be used as a row of the quarantine. Does not belong
here: which files there are (`brought`), what names mean (`core.generation.imported_names`).
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation import imported_names
from emovid_assets.core.generation.imported_names import Benchmark, Named
from emovid_assets.core.generation.wanted import Wanted
from emovid_assets.home.folders import Home
from emovid_assets.resources import media_steps
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.file_faults import FileFault
from emovid_assets.resources.generation.brought import Brought, named_files
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.workplace import Workplace

STEP, FAULTS_STEP = "read_generated", "imported_videos"
"""The step of reading, and the name under which files are in quarantine that are not read at all."""


@dataclass
class Imports:
    """Of a domain: (what it stands for, its file below the home folder) by video id, and what is wrong with others."""

    videos: dict[str, tuple[Wanted, str]] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)


def imports_of(
    home: Home,
    found: Brought,
    domain: str,
    benchmark: Benchmark,
    others: Callable[[], Iterable[Benchmark]],
    taken: Mapping[str, str],
) -> Imports:
    """The videos that people have brought for a domain. `others`: the benchmarks of the other domains, asked for where
    a file names a prompt that this one has not; what no domain can be told of is told in the first."""
    if not (found.videos or found.tables):
        return Imports()
    files, faults = named_files(home, found)
    prefix = f"{home.relative(home.imported_videos)}/"
    is_first = domain == DOMAINS[0]
    own = [one for one in files if one.domain == domain or (one.domain is None and _is_in(one, benchmark))]
    if is_first:
        unsaid = [one for one in files if one.domain is None and not _is_in(one, benchmark)]
        elsewhere = list(others()) if any(one.prompt for one in unsaid) else []
        own += [one for one in unsaid if not any(_is_in(one, other) for other in elsewhere)]
    videos, wrong = imported_names.matched(own, benchmark, taken)
    wrong += imported_names.missing((wanted for wanted, _ in videos.values()), benchmark, domain)
    return Imports(
        {name: (wanted, prefix + path) for name, (wanted, path) in videos.items()},
        [*(faults if is_first else ()), *(FileFault(prefix + one.path, one.code, one.detail) for one in wrong)],
    )


def _is_in(one: Named, benchmark: Benchmark) -> bool:
    return one.prompt is not None and bool(benchmark.with_prompt(one.prompt))


def items_of(home: Home, imports: Imports, found: Brought, limits: Mapping[str, float], hashes: Hashes) -> list[Item]:
    """An item a file of `read`."""

    def item(name: str, path: str) -> Item:
        size_bytes, mtime_ns = found.videos[path].stamp
        try:
            sha256 = hashes.of(home.root / path)
        except OSError:
            # The step says what is the matter with it.
            sha256 = ""
        arguments = {
            "path": str(home.root / path),
            "stamp": {"size_bytes": size_bytes, "mtime_ns": mtime_ns},
            "limits": limits,
            "sha256": sha256,
        }
        return Item(name, sha256, arguments, path=path, input_sha256=sha256 or None, weight=size_bytes)

    return [item(name, path) for name, (_, path) in imports.videos.items()]


def read(project: Workplace, domain: str, items: Iterable[Item], limits: Any, log: logging.Logger) -> Outcome:
    """Facts of each file, by video id."""
    step = Step(STEP, media_steps.READ_GENERATED_VERSION, json.dumps(limits), media_steps.read_generated)
    return project.compute(step, domain, items, log)
