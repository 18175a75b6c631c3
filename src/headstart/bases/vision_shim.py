"""Let timm and transformers import where torchvision's compiled half cannot load.

`pip install torch` from PyTorch's CPU page followed by a plain `pip install timm` pairs a CPU torch with the ordinary
index's CUDA build of torchvision. Its compiled operators then do not load, and importing it fails on the first
operator that its Python half describes. Headstart calls none of them (decoding is Pillow's work), so their names are
declared and the Python half imports. Nothing happens where torchvision is whole. See docs/decisions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch

_KEEP: list[torch.library.Library] = []


def list_missing_operators() -> list[str]:
    """Name the torchvision operators that its Python half describes and nothing has defined."""
    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return []
    source = Path(spec.submodule_search_locations[0], "_meta_registrations.py")
    if not source.is_file():
        return []
    described = re.findall(r'register_fake\("torchvision::(\w+)"\)', source.read_text(encoding="utf-8"))
    return [name for name in described if not hasattr(torch.ops.torchvision, name)]


@lru_cache(maxsize=1)
def prepare_torchvision() -> None:
    """Make `import torchvision` work; call it before importing timm or transformers. Done once a process."""
    try:
        import torchvision  # noqa: F401
    except (RuntimeError, OSError):
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in list_missing_operators():
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")  # type: ignore[no-untyped-call]
        _KEEP.append(library)
    except ModuleNotFoundError:
        return
