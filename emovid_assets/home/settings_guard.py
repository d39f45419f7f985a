"""The settings as one asset may read them: keys of groups that it has not declared are not there.

What an asset declares decides when it is stale. A key that it read all the same would leave old results fresh.

Belongs here: which keys a reader may see, and what it is told of the others. Does not belong here: which asset declares
what (the assets say so), and how a key is taken out (`settings`).
"""

from collections.abc import Callable, Sequence

from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_groups import GROUPS

_PLACES = [(group, key) for group, keys in GROUPS.items() for key in keys]


def view_of(reader: str, groups: Sequence[str]) -> Callable[[Settings], Settings]:
    """Takes out of settings what `reader` has not declared. Keys that are in no group are free to all."""
    withheld: dict[str, dict[str, str]] = {}
    for group, key in _PLACES:
        if group not in groups:
            section, _, name = key.rpartition(".")
            withheld.setdefault(section, {})[name] = (
                f"asset {reader} reads {key}, which is in group {group}: name it in table_asset(settings=…)"
            )
    own = withheld.pop("", {})

    def view(settings: Settings) -> Settings:
        sections = {name: getattr(settings, name).without(keys) for name, keys in withheld.items()}
        return settings.model_copy(update=sections).without(own)

    return view
