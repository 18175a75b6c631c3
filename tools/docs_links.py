"""Hook of mkdocs: links to files outside `docs/` become their names, so that the site stands alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)\s#]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page with links out of `docs/` as plain words."""
    folder = (ROOT / "docs" / page.file.src_uri).parent

    def replace_link(match: re.Match[str]) -> str:
        target = (folder / match[2]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return match[0]
        return f"{match[1]} (`{target.relative_to(ROOT).as_posix()}` of the repository)"

    return LINK.sub(replace_link, markdown)
