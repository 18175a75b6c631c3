"""The base models that Headstart knows by name. Everything listed here is tested, documented and shown.

Facts only: licences and training data as the publishers state them. A record is one entry in `packaged`, `images`,
`texts` or `series`; nothing of torch is loaded here.
"""

from __future__ import annotations

from headstart.bases.catalogue.images import IMAGE_BASES
from headstart.bases.catalogue.packaged import EFFICIENTNET_LITE0, MINILM, MINIROCKET, MULTILINGUAL_E5, SERIES_ENCODER
from headstart.bases.catalogue.series import SERIES_BASES
from headstart.bases.catalogue.texts import TEXT_BASES
from headstart.bases.record import BaseRecord

__all__ = [
    "CATALOGUE",
    "DEFAULTS",
    "EFFICIENTNET_LITE0",
    "MINILM",
    "MINIROCKET",
    "MULTILINGUAL_E5",
    "OTHER_LANGUAGES",
    "SERIES_ENCODER",
]

CATALOGUE: dict[str, BaseRecord] = {
    record.name: record
    for record in (
        *(EFFICIENTNET_LITE0, *IMAGE_BASES),
        *(MINILM, MULTILINGUAL_E5, *TEXT_BASES),
        *(SERIES_ENCODER, MINIROCKET, *SERIES_BASES),
    )
}

DEFAULTS: dict[str, str] = {
    "image": EFFICIENTNET_LITE0.name,
    "text": MINILM.name,
    "series": SERIES_ENCODER.name,
}

OTHER_LANGUAGES: dict[str, str] = {"text": MULTILINGUAL_E5.name}
"""The base that the default gives way to where it does not know the language, by modality."""
