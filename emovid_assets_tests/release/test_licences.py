"""What people write as a licence is the licence that they mean, or none."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.collection.terms import RESEARCH_ONLY
from emovid_assets.core.release.credits import licence_text
from emovid_assets.core.release.licence_names import recognised
from emovid_assets.core.release.licences import CC_PORTS, LICENCES, TEXTS, UNKNOWN

MEANT = {
    "CC-BY-4.0": (
        *("CC-BY-4.0", "cc-by-4.0", "CC BY 4.0", "cc_by_4.0", "CC BY 4", "CC BY v4.0", "CC BY 4.0.", " CC BY 4.0 "),
        *("Creative Commons Attribution 4.0", "Creative Commons Attribution 4.0 International License"),
        *("Creative Commons Attribution 4.0 International (CC BY 4.0)", "Attribution 4.0 International"),
        *("https://creativecommons.org/licenses/by/4.0/", "http://www.creativecommons.org/licenses/by/4.0"),
        *(
            "https://creativecommons.org/licenses/by/4.0/deed.en",
            "https://creativecommons.org/licenses/by/4.0/deed.pt_BR",
        ),
        *("creativecommons.org/licenses/by/4.0/legalcode", "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"),
        *("CC BY 4.0, https://creativecommons.org/licenses/by/4.0/deed.de", "https://spdx.org/licenses/CC-BY-4.0.html"),
    ),
    "CC-BY-SA-3.0": ("CC BY-SA 3.0 Unported", "Creative Commons Attribution-ShareAlike 3.0", "cc by sa v3.0"),
    "CC-BY-NC-ND-4.0": (
        "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International Public License",
        "https://creativecommons.org/licenses/by-nc-nd/4.0/",
        "Creative Commons Attribution Non-Commercial No Derivs 4.0",
    ),
    "CC-BY-NC-ND-1.0": ("https://creativecommons.org/licenses/by-nd-nc/1.0/", "CC BY-NC-ND 1.0"),
    "CC-BY-3.0-US": ("cc-by-3.0-us", "http://creativecommons.org/licenses/by/3.0/us/", "CC BY 3.0 US"),
    "LicenseRef-CC-BY-3.0-FR": ("CC BY 3.0 FR", "https://creativecommons.org/licenses/by/3.0/fr/deed.fr"),
    "LicenseRef-CC-BY": ("CC BY", "cc-by", "Creative Commons Attribution license (reuse allowed)"),
    "LicenseRef-CC-BY-NC-SA": ("CC BY-NC-SA",),
    "CC0-1.0": (
        *("CC0", "cc0 1.0", "CC-Zero", "Creative Commons Zero v1.0 Universal", "CC0 1.0 Universal"),
        "https://creativecommons.org/publicdomain/zero/1.0/deed.en",
    ),
    "CC-PDM-1.0": ("Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    "LicenseRef-public-domain": ("public domain", "Public-Domain", "PD", "in the public domain"),
    "MIT": ("MIT", "mit license", "The MIT License", "Expat", "https://opensource.org/licenses/MIT"),
    "MIT-CMU": ("MIT-CMU",),
    "Apache-2.0": ("Apache 2.0", "Apache-2.0 WITH LLVM-exception", "http://www.apache.org/licenses/LICENSE-2.0.txt"),
    "BSD-3-Clause": ("BSD 3-Clause License", "bsd-3-clause", "New BSD License"),
    "ISC": ("ISC License",),
    "MPL-2.0": ("Mozilla Public License 2.0", "MPL 2.0"),
    "GPL-2.0-only": ("GPL-2.0", "GPLv2", "GPL-2.0-only"),
    "GPL-2.0-or-later": ("GPL-2.0+",),
    "OFL-1.1": ("SIL Open Font License 1.1", "OFL", "OFL-1.1-RFN"),
    "FAL-1.3": ("Free Art License 1.3",),
    "Unlicense": ("The Unlicense",),
    "MIT OR Apache-2.0": ("MIT OR Apache-2.0", "mit or apache-2.0", "(MIT OR Apache-2.0)"),
    "MIT OR LicenseRef-unknown": ("MIT OR LicenseRef-Ours",),
    "MIT AND CC-BY-NC-4.0": ("MIT AND CC BY-NC 4.0",),
    "(MIT OR GPL-2.0-only) AND CC-BY-4.0": ("(MIT OR GPL-2.0) AND CC-BY-4.0",),
}
NOT_A_LICENCE = (
    *("", " ", "CC", "Creative Commons", "Attribution", "BSD", "GPL", "Apache", "free", "Free to use", "royalty free"),
    *(
        "fair use",
        "fan art",
        "© Studio",
        "all rights reserved",
        "see website",
        "none",
        "?",
        "n/a",
        "unknown",
        RESEARCH_ONLY,
    ),
    *(
        "CC BY 4.0, but ask first",
        "not MIT",
        "MIT or ask",
        "CC BY 5.0",
        "CC BY-4.0-DE",
        "CC BY 2.1",
        "CC Sampling+ 1.0",
    ),
    *("by-nc-sa", "BY-SA", "CC BY-BY 4.0", "CC BY-SA-ND 4.0", "Apache-2.0 WITH Commons-Clause", "MIT AND proprietary"),
    *("MIT AND LicenseRef-Ours", "((MIT", "MIT OR", "OR", "https://example.org/creativecommons.org/licenses/by/4.0/"),
    *(
        "https://creativecommons.org/",
        "https://creativecommons.org/licenses/by/9.0/",
        "http://[",
        "(" * 60 + "MIT" + ")" * 60,
    ),
)


@pytest.mark.parametrize(("meant", "written"), [(meant, text) for meant, texts in MEANT.items() for text in texts])
def test_what_people_write_is_the_licence_that_they_mean(meant: str, written: str) -> None:
    assert recognised(written).id == meant


@pytest.mark.parametrize("written", NOT_A_LICENCE)
def test_nothing_is_guessed(written: str) -> None:
    assert recognised(written) is UNKNOWN
    assert recognised(None) is UNKNOWN


@given(
    st.sampled_from(sorted(LICENCES)),
    st.sampled_from([str.lower, str.upper, str.title, lambda text: text.replace("-", " "), lambda text: f" {text}. "]),
)
def test_an_id_of_any_case_and_with_blanks_is_itself(name: str, change: object) -> None:
    assert recognised(change(name)) == LICENCES[name]  # type: ignore[operator]


@given(st.text(max_size=40), st.sampled_from(sorted(LICENCES)), st.text(max_size=10))
def test_words_around_a_licence_never_give_more_than_the_licence(before: str, name: str, after: str) -> None:
    found = recognised(f"{before}{name}{after}")
    assert found is UNKNOWN or found.is_known
    assert recognised(f"except {before} {name}") is UNKNOWN


def test_every_address_of_a_licence_leads_back_to_it() -> None:
    back = {one.id: recognised(one.url).id for one in LICENCES.values() if one.url}
    assert {(name, found) for name, found in back.items() if found != name} == {
        (f"{name}-or-later", f"{name}-only") for name in ("GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "AGPL-3.0")
    }


def test_a_creative_commons_licence_allows_what_the_parts_of_its_name_say() -> None:
    """Oracle: the letters of the id, for every kind, version and country."""
    ports = ["", *(f"-{port.upper()}" for port in sorted(CC_PORTS))]
    kinds = ("BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND")
    found = 0
    for kind, version, port in product(kinds, ("1.0", "2.0", "2.5", "3.0", "4.0"), ports):
        licence = recognised(f"CC-{kind}-{version}{port}")
        if port and version in ("1.0", "4.0"):
            assert licence is UNKNOWN
            continue
        found += 1
        assert licence.id.removeprefix("LicenseRef-") == f"CC-{kind}-{version}{port}"
        assert (licence.copy, licence.excerpt, licence.credit) == (True, True, True)
        assert licence.altered == ("ND" not in kind)
        assert licence.commercial == ("NC" not in kind)
        assert licence.share_alike == ("SA" in kind)
        assert recognised(licence.url) == licence
    assert found == 6 * (2 + 3 * len(ports))


def test_ids_are_those_of_spdx_or_say_that_they_are_not() -> None:
    """Oracle: the list that travels with `packaging`."""
    spdx = pytest.importorskip("packaging.licenses._spdx")
    known = {entry["id"] for entry in spdx.LICENSES.values()}
    # `FAL-1.3` is what people write for `LAL-1.3`.
    assert {name for name in LICENCES if name not in known and not name.startswith("LicenseRef-")} == {"FAL-1.3"}
    ours = {name for name in known if name.startswith("CC-") and not name.endswith(("-1.0", "PDDC"))}
    assert {name for name in ours if recognised(name).id != name} == set()


def test_of_or_the_best_counts_and_of_and_everything() -> None:
    best = recognised("CC-BY-ND-4.0 OR CC-BY-NC-SA-4.0 OR MIT")
    assert (best.altered, best.commercial, best.text, [one.id for one in best.applies]) == (True, True, True, ["MIT"])
    strict = recognised("CC-BY-ND-4.0 AND CC-BY-NC-4.0 AND MIT")
    assert (strict.altered, strict.commercial, strict.text) == (False, False, True)
    assert [one.id for one in strict.applies] == ["CC-BY-ND-4.0", "CC-BY-NC-4.0", "MIT"]
    torn = recognised("CC-BY-SA-4.0 AND CC-BY-SA-3.0")
    assert (torn.excerpt, torn.altered) == (True, False)


def test_the_hub_has_an_id_only_for_some() -> None:
    assert {recognised(name).hub_id for name in ("CC-BY-2.0", "CC-BY-3.0-US", "CC-BY-SA-2.5", "CC-BY-ND-3.0")} == {
        "cc-by-2.0",
        "other",
    }
    assert recognised("CC-BY-SA-4.0 OR MIT").hub_id == "mit"


def test_licences_that_want_their_text_in_copies_have_one_here_unless_no_copy_is_made() -> None:
    wanted = {name for name, licence in LICENCES.items() if licence.text and not licence.source_form}
    assert wanted == set(TEXTS)
    assert all('IS" ' in licence_text(name) or "AS IS" in licence_text(name) or name == "MIT-CMU" for name in TEXTS)
    assert "name of the copyright\nholder not be used" in licence_text("MIT-CMU")
