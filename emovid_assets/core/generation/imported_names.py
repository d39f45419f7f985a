"""Which prompt of the benchmark a video stands for that was made elsewhere: by its name, its folders, or a table.

Belongs here: reading names and matching them with the benchmark. Does not belong here: walking folders, reading files
(`resources.generation.imported`).

A name is `<clip_id>` or the first 16 or more hex digits of the SHA-256 of the prompt, with `-<seed>` behind it where
there are several. A row of `videos.csv` counts before the name.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation.wanted import Wanted, prompt_sha256
from emovid_assets.core.identity import domain_of

TASKS = ("t2v", "i2v")
_SEED = r"(?:[-_ ](?:seed[-_ ]?)?(?P<seed>\d{1,18}))?"
_BY_CLIP = re.compile(rf"(?P<clip>(?:{'|'.join(DOMAINS)})-[0-9a-f]{{16}}-\d{{8,}}-\d{{8,}}){_SEED}", re.IGNORECASE)
_BY_PROMPT = re.compile(rf"(?P<prompt>[0-9a-f]{{16,64}}){_SEED}", re.IGNORECASE)
_SHOWN = 3


@dataclass(frozen=True)
class Named:
    """A file and what names say of it. `path` is below the folder of imported videos. Of `clip_id` and `prompt` (its
    hash, or the beginning of it) one is null, or both where nothing is said."""

    path: str
    generator: str
    task: str
    clip_id: str | None = None
    prompt: str | None = None
    seed: int = 0
    domain: str | None = None
    """Which domain the names speak of; null where they do not say."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, or with what is there of a generator."""

    path: str
    code: str
    detail: str


def named(path: str, row: Mapping[str, str] | None = None) -> Named | None:
    """What a path below the folder of imported videos says, and a row of `videos.csv`, whose cells count before it.

    Null for a file that lies in no generator's folder: a folder of a task or domain at the top is none.
    """
    generator, *folders, file = path.split("/") if "/" in path else ("", path)
    if generator.lower() in ("", *TASKS, *DOMAINS):
        return None
    below = [folder.lower() for folder in folders]
    task = next((folder for folder in reversed(below) if folder in TASKS), TASKS[0])
    domain = next((folder for folder in reversed(below) if folder in DOMAINS), None)
    stem = file.rpartition(".")[0] or file
    found = _BY_CLIP.fullmatch(stem) or _BY_PROMPT.fullmatch(stem)
    said = {name: value for name, value in found.groupdict().items() if value} if found else {}
    clip, prompt, seed = said.get("clip"), said.get("prompt"), said.get("seed", "0")
    if row:
        clip, prompt = (row.get("clip_id"), _hash_of(row.get("prompt"))) if _names(row) else (clip, prompt)
        task, seed = row.get("task") or task, row.get("seed") or seed
    clip = clip.lower() if clip else None
    if clip:
        domain = domain_of(clip) or domain
    return Named(path, generator, task, clip, prompt.lower() if prompt and not clip else None, int(seed), domain)


def _names(row: Mapping[str, str]) -> bool:
    return bool(row.get("clip_id") or row.get("prompt"))


def _hash_of(written: str | None) -> str | None:
    """A cell holds the prompt itself, or its hash."""
    if not written or re.fullmatch(r"[0-9a-fA-F]{16,64}", written):
        return written or None
    return prompt_sha256(written)


class Benchmark:
    """The prompts of a domain, of rows of `benchmark_split`."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rows = {row["clip_id"]: row for row in rows if row["split"] == "benchmark"}
        self._by_prompt: dict[str, list[str]] = defaultdict(list)
        for clip_id, row in self.rows.items():
            self._by_prompt[prompt_sha256(row["prompt"])].append(clip_id)

    def with_prompt(self, beginning: str) -> list[str]:
        """The clips whose prompt's hash begins so."""
        whole = self._by_prompt.get(beginning)
        if whole is not None:
            return whole
        return sorted(c for sha256, clips in self._by_prompt.items() if sha256.startswith(beginning) for c in clips)

    def wanted(self, one: Named) -> Wanted | Fault:
        """The video that a file stands for, or why it stands for none."""
        if one.clip_id is None and one.prompt is None:
            return Fault(one.path, "video_extra", "The name says neither a clip nor a prompt")
        clips = self.with_prompt(one.prompt) if one.prompt else [c for c in [str(one.clip_id)] if c in self.rows]
        if not clips:
            what = "prompt" if one.prompt else "clip"
            return Fault(one.path, "video_extra", f"The benchmark has no such {what}")
        if len(clips) > 1:
            said = f"{len(clips)} clips of the benchmark have this prompt: {_some(clips)}"
            return Fault(one.path, "video_ambiguous", said)
        row = self.rows[clips[0]]
        path = row["first_frame_path"] if one.task == "i2v" else None
        return Wanted(one.generator, one.task, clips[0], None, row["emotion"], row["prompt"], one.seed, path)


def matched(
    files: Iterable[Named], benchmark: Benchmark, taken: Mapping[str, str]
) -> tuple[dict[str, tuple[Wanted, str]], list[Fault]]:
    """Videos by id, with the path of each, and what is wrong with other files. Of two files of one video the first by
    path counts. `taken`: ids of videos that are there already, and what makes them."""
    found: dict[str, tuple[Wanted, str]] = {}
    faults: list[Fault] = []
    for one in sorted(files, key=lambda file: file.path):
        wanted = benchmark.wanted(one)
        if isinstance(wanted, Fault):
            faults.append(wanted)
        elif (other := taken.get(wanted.video_id) or found.get(wanted.video_id, (None, None))[1]) is not None:
            said = f"{other} is of the same generator, clip and seed {wanted.seed}"
            faults.append(Fault(one.path, "video_duplicate", said))
        else:
            found[wanted.video_id] = wanted, one.path
    return found, faults


def missing(found: Iterable[Wanted], benchmark: Benchmark, domain: str) -> list[Fault]:
    """Of each generator and task with a video in the domain, the clips that have none, or fewer than others: a fault
    together. Seeds may be others for each clip."""
    there: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in found:
        there[one.generator, one.task][str(one.clip_id)] += 1
    faults = []
    for (generator, task), counts in sorted(there.items()):
        most = max(counts.values())
        none = sorted(benchmark.rows.keys() - counts)
        fewer = sorted(clip for clip, count in counts.items() if count < most)
        said = [
            f"{len(clips)} of {len(benchmark.rows)} clips of the benchmark have {what}: {_some(clips)}"
            for clips, what in ((none, "no video"), (fewer, f"fewer than the {most} videos of others"))
            if clips
        ]
        if said:
            faults.append(Fault(f"{generator}/{task}/{domain}", "video_missing", f"{generator}: {'; '.join(said)}"))
    return faults


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")
