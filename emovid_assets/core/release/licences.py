"""What licences allow of a clip: the one table, and the rule for combinations of them.

Belongs here: for each licence whether its works may be passed on whole, in part and altered, and what that asks for.
Does not belong here: how people write a licence (`licence_names`), terms of platforms (`origins`), what follows for a
clip (`gate`). This is how we read the licences; it is no legal advice.

A clip is a part of a film, in its own container: licences that speak of excerpts, formats and technical changes allow
it as the original. Pictures that are encoded anew or laid over white are `altered` to be on the safe side.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product, starmap
from typing import Final

OTHER: Final = "other"
"""What the Hugging Face hub calls a licence that it has no id for."""
_NON_COMMERCIAL = re.compile(r"non[ -]?commercial|\bNC\b|research only", re.IGNORECASE)


@dataclass(frozen=True)
class Licence:
    """`id`: of SPDX, or `LicenseRef-…` where that has none, or an expression of both. `hub_id`: of Hugging Face.

    `copy`, `excerpt`, `altered`: whether a whole file, a part of it, and one with other pictures may be passed on.
    `commercial`: also for money. `share_alike`: what was altered stays under the same licence. `credit`: its makers
    have to be named. `text`: copies come with the text of the licence. `source_form`: copies come with the form of the
    work that its makers edit. `applies`: the licences that an expression stands for here; of one licence, itself.
    """

    id: str
    title: str
    url: str
    hub_id: str = OTHER
    copy: bool = True
    excerpt: bool = True
    altered: bool = True
    commercial: bool = True
    share_alike: bool = False
    credit: bool = True
    text: bool = False
    source_form: bool = False
    parts: tuple["Licence", ...] = ()

    @property
    def applies(self) -> tuple["Licence", ...]:
        return self.parts or (self,)

    @property
    def is_known(self) -> bool:
        return self.id != UNKNOWN.id


UNKNOWN: Final = Licence(
    "unknown",
    "no licence that is known here",
    "",
    *("unknown", False, False, False, False),
    credit=False,
)
"""Of which nothing is allowed."""

_CC_TITLES = {
    "by": "Attribution",
    "nc": "NonCommercial",
    "nd": "NoDerivatives",
    "sa": "ShareAlike",
}
CC_KINDS: Final = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
CC_VERSIONS: Final = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
_KINDS_OF_1_0 = ("sa", "nd", "nc", "nc-sa", "nc-nd")
"""Only the first version had licences that ask for no credit; its own names for the last are `nd-nc`."""
_HUB_CC = {
    "by": ("2.0", "2.5", "3.0", "4.0"),
    "by-sa": ("3.0", "4.0"),
    "by-nd": ("4.0",),
    "by-nc": ("2.0", "3.0", "4.0"),
    "by-nc-sa": ("2.0", "3.0", "4.0"),
    "by-nc-nd": ("3.0", "4.0"),
}
"""Versions that the hub has an id for."""
_PORTS = (
    "am ar at au az be bg br ca ch cl cn co cr cz de dk ec ee eg es fi fr ge gr gt hk hr hu ie igo il in it jp kr lu "
    "mk mt mx my nl no nz pe ph pl pr pt ro rs scotland se sg si th tw ug uk us ve vn za"
)
CC_PORTS: Final = frozenset(_PORTS.split())
"""Countries for which versions before 4.0 were adapted."""
_WITH_SPDX_ID = (
    "by-2.5-au by-3.0-at by-3.0-au by-3.0-de by-3.0-igo by-3.0-nl by-3.0-us by-nc-3.0-de by-nc-nd-3.0-de "
    "by-nc-nd-3.0-igo by-nc-sa-2.0-de by-nc-sa-2.0-fr by-nc-sa-2.0-uk by-nc-sa-3.0-de by-nc-sa-3.0-igo by-nd-3.0-de "
    "by-sa-2.0-uk by-sa-2.1-jp by-sa-3.0-at by-sa-3.0-de by-sa-3.0-igo sa-1.0"
)
_RARE_OF_SPDX = frozenset(_WITH_SPDX_ID.split())
"""Of countries, and those that ask for no credit: which have an id of SPDX (list 3.27)."""


def creative_commons(kind: str, version: str | None = None, port: str | None = None) -> Licence | None:
    """A licence of Creative Commons, such as (`by-nc-sa`, `2.0`, `de`), in small letters; null where there is none.

    Without a version it is whichever one was meant: all of them allow the same here, and so that is not unknown.
    """
    has_credit = kind in CC_KINDS
    if not has_credit and not (kind in _KINDS_OF_1_0 and version == "1.0"):
        return None
    if version not in (None, *CC_VERSIONS) or (port and port not in CC_PORTS):
        return None
    # 4.0 holds everywhere and was adapted to no country; 2.1 is a version of countries only.
    if (port and version in (None, "1.0", "4.0")) or (version == "2.1" and not port):
        return None
    parts = kind.split("-")
    name = "-".join(filter(None, (kind, version, port)))
    has_spdx_id = name in _RARE_OF_SPDX if port or not has_credit else version is not None
    in_address = "nd-nc" if (kind, version) == ("nc-nd", "1.0") else kind
    if kind == "by-nc-nd" and version == "1.0":
        in_address = "by-nd-nc"
    address = "/".join(filter(None, (in_address, version, port)))
    return Licence(
        id=("" if has_spdx_id else "LicenseRef-") + f"CC-{name.upper()}",
        title=f"Creative Commons {'-'.join(_CC_TITLES[part] for part in parts)}"
        + (f" {version}" if version else ", version not stated")
        + (f" ({port.upper()})" if port else ""),
        url=f"https://creativecommons.org/licenses/{address}/" if version else "https://creativecommons.org/licenses/",
        hub_id=f"cc-{kind}-{version}" if not port and version in _HUB_CC.get(kind, ()) else OTHER,
        altered="nd" not in parts,
        commercial="nc" not in parts,
        share_alike="sa" in parts,
        credit=has_credit,
    )


_FREE = (
    Licence("CC0-1.0", "Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
    Licence("CC-PDM-1.0", "Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    Licence("CC-PDDC", "Public Domain Dedication", "https://creativecommons.org/licenses/publicdomain/"),
    Licence("LicenseRef-public-domain", "public domain, as whoever has the file states", ""),
    Licence("Unlicense", "The Unlicense", "https://unlicense.org/", "unlicense"),
    Licence("0BSD", "BSD Zero Clause", "https://opensource.org/license/0bsd"),
    Licence("MIT-0", "MIT No Attribution", "https://opensource.org/license/mit-0"),
    Licence("WTFPL", "Do What The F*ck You Want To Public License", "http://www.wtfpl.net/about/", "wtfpl"),
)
_WITH_NOTICE = (
    Licence("MIT", "MIT", "https://opensource.org/license/mit", "mit"),
    Licence("MIT-CMU", "CMU", "https://spdx.org/licenses/MIT-CMU.html"),
    Licence("BSD-2-Clause", "BSD 2-Clause", "https://opensource.org/license/bsd-2-clause", "bsd-2-clause"),
    Licence("BSD-3-Clause", "BSD 3-Clause", "https://opensource.org/license/bsd-3-clause", "bsd-3-clause"),
    Licence("ISC", "ISC", "https://opensource.org/license/isc-license-txt", "isc"),
    Licence("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0", "apache-2.0"),
)
_ALIKE = (
    Licence("FAL-1.3", "Free Art License 1.3", "https://artlibre.org/licence/lal/en/"),
    Licence("LAL-1.3", "Licence Art Libre 1.3", "https://artlibre.org/"),
)
_GNU = (
    ("GPL", "2.0", "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html", "gpl-2.0"),
    ("GPL", "3.0", "https://www.gnu.org/licenses/gpl-3.0.html", "gpl-3.0"),
    ("LGPL", "2.1", "https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html", "lgpl-2.1"),
    ("LGPL", "3.0", "https://www.gnu.org/licenses/lgpl-3.0.html", "lgpl-3.0"),
    ("AGPL", "3.0", "https://www.gnu.org/licenses/agpl-3.0.html", "agpl-3.0"),
)
_COPYLEFT = (
    *(
        Licence(f"{name}-{version}-{which}", f"GNU {name} {version} {which.replace('-', ' ')}", url, hub_id)
        for name, version, url, hub_id in _GNU
        for which in ("only", "or-later")
    ),
    Licence("MPL-2.0", "Mozilla Public License 2.0", "https://www.mozilla.org/MPL/2.0/", "mpl-2.0"),
)

LICENCES: Final[Mapping[str, Licence]] = {
    licence.id: licence
    for licence in (
        *(replace(one, credit=False) for one in _FREE),
        *(replace(one, text=True) for one in _WITH_NOTICE),
        Licence(
            "OFL-1.1",
            "SIL Open Font License 1.1",
            "https://openfontlicense.org/",
            "ofl-1.1",
            share_alike=True,
            text=True,
        ),
        *(replace(one, share_alike=True) for one in _ALIKE),
        *(replace(one, share_alike=True, text=True, source_form=True) for one in _COPYLEFT),
        *filter(None, starmap(creative_commons, product((*CC_KINDS, *_KINDS_OF_1_0), CC_VERSIONS))),
    )
}
"""By id. Creative Commons' licences of single countries come of `creative_commons`."""
TEXTS: Final = ("MIT", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0", "OFL-1.1")
"""Licences whose text copies come with, and which a release therefore holds (`texts/<id>.txt`)."""


def best_of(licences: Sequence[Licence]) -> Licence:
    """Where whoever passes a work on may choose: the one that allows most, of equal ones the first."""
    return max(licences, key=_generosity)


def _generosity(licence: Licence) -> tuple[bool, ...]:
    return (
        *(licence.copy, licence.excerpt, not licence.source_form, licence.altered, licence.commercial),
        *(not licence.share_alike, not licence.credit, not licence.text),
    )


def strictest_of(licences: Iterable[Licence]) -> Licence:
    """Where all of them hold: what each allows, and everything that any asks for. Unknown where one is unknown."""
    return reduce(_and, licences)


def _and(one: Licence, other: Licence) -> Licence:
    if not (one.is_known and other.is_known):
        return UNKNOWN
    # What is altered cannot be under two licences that each want it for themselves.
    is_torn = one.share_alike and other.share_alike and one.id != other.id
    return Licence(
        id=f"{one.id} AND {other.id}",
        title=f"{one.title} and {other.title}",
        url="",
        copy=one.copy and other.copy,
        excerpt=one.excerpt and other.excerpt,
        altered=one.altered and other.altered and not is_torn,
        commercial=one.commercial and other.commercial,
        share_alike=one.share_alike or other.share_alike,
        credit=one.credit or other.credit,
        text=one.text or other.text,
        source_form=one.source_form or other.source_form,
        parts=(*one.applies, *other.applies),
    )


def says_non_commercial(written: str) -> bool:
    """Whether a licence, in any words, speaks against commercial use: also one that is not known here."""
    return _NON_COMMERCIAL.search(written) is not None
