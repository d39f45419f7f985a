"""Where collected files come from, and under which terms: kept with every file to the end of the chain.

Belongs here: what holds for all files of an origin. What holds for one file (its creator, its own licence) comes with
the file. No entry here grants a right: users read the terms that are linked and decide (requirement R36).
"""

from typing import NamedTuple

RESEARCH_ONLY = "no licence granted; non-commercial research"
"""The `license` of files whose origin states none."""


class Terms(NamedTuple):
    """`attribution`: how the origin wants to be named where its files are shown."""

    origin: str
    title: str
    terms_url: str
    attribution: str


ORIGINS = (
    Terms(
        "condensed_movies",
        "videos that Condensed Movies lists, on YouTube",
        "https://www.youtube.com/t/terms",
        "video on YouTube, listed by Condensed Movies (Bain et al., ACCV 2020)",
    ),
    Terms("klipy", "KLIPY", "https://docs.klipy.com/attribution", "Powered by KLIPY"),
    Terms("tenor", "a service that speaks Tenor v2", "", "via a service that speaks Tenor v2"),
    Terms("giphy", "GIPHY", "https://giphy.com/terms", "Powered By GIPHY"),
    Terms("magicanime", "MagicAnime or another set in its form, by application", "", "as the set's manifest says"),
)
TERMS: dict[str, Terms] = {terms.origin: terms for terms in ORIGINS}
