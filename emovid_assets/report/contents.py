"""The sections in the order of the report.

Belongs here: the list. What a section asks and says is in its module in `sections/`.
"""

from dataclasses import replace

from emovid_assets.report.answers import Answers
from emovid_assets.report.exhibits import Section
from emovid_assets.report.facts import Facts
from emovid_assets.report.sections.agreement import agreement
from emovid_assets.report.sections.annotation import annotation
from emovid_assets.report.sections.benchmark import benchmark
from emovid_assets.report.sections.captions import captions
from emovid_assets.report.sections.colour import colour
from emovid_assets.report.sections.emotions import emotions
from emovid_assets.report.sections.generation import generation
from emovid_assets.report.sections.labeller import labeller
from emovid_assets.report.sections.limits import limits
from emovid_assets.report.sections.overview import overview
from emovid_assets.report.sections.paper import paper
from emovid_assets.report.sections.provenance import provenance
from emovid_assets.report.sections.quarantine import quarantine
from emovid_assets.report.sections.space import space
from emovid_assets.report.sections.transitions import transitions
from emovid_assets.report.thumbnails import Thumbnails


def all_sections(answers: Answers, thumbnails: Thumbnails, facts: Facts) -> tuple[Section, ...]:
    """Every section of a library that has clips."""
    return (
        overview(answers),
        emotions(answers),
        space(answers),
        colour(answers),
        transitions(answers),
        captions(answers),
        annotation(answers),
        agreement(answers),
        labeller(answers),
        benchmark(answers, thumbnails),
        *generation(answers, thumbnails),
        paper(answers),
        quarantine(answers),
        provenance(answers, facts),
        limits(answers),
    )


def sections_without_clips(answers: Answers, facts: Facts) -> tuple[Section, ...]:
    """What can be said of a library without clips: which files are at fault, with which programs and settings."""
    return tuple(
        replace(section, exhibits=tuple(one for one in section.exhibits if not one.is_missing))
        for section in (quarantine(answers), provenance(answers, facts))
    )
