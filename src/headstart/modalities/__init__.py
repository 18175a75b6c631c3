"""Room: how images, texts and series become arrays; each modality is one record of six functions.

Knows nothing of tables, labels or base models.
"""

from headstart.modalities.image import IMAGE
from headstart.modalities.record import Modality, Spec
from headstart.modalities.series import SERIES
from headstart.modalities.text import TEXT

MODALITIES: dict[str, Modality] = {each.name: each for each in (IMAGE, TEXT, SERIES)}

__all__ = ["MODALITIES", "Modality", "Spec"]
