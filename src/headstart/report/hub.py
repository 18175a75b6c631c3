"""What model hubs read in the header of the card: identifiers that exist there, and nothing else."""

from __future__ import annotations

import re

from headstart.results import Result

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def find_base_id(result: Result) -> str:
    """Return the hub's identifier of the base model; "" where it has none.

    Parameters
    ----------
    result : Result
    """
    from headstart.bases.catalogue import CATALOGUE  # Loads arrays; most commands write no card.

    name = result.base.name
    record = CATALOGUE.get(name)
    identifier = record.repository if record is not None else name.removeprefix("hf:").removeprefix("timm:")
    return identifier if result.base.pretrained and _HUB_ID.fullmatch(identifier) else ""
