"""What some tests need and not every machine has: they skip without it, or fail where HEADSTART_REQUIRE names it.

HEADSTART_REQUIRE is a list with commas of: browser (Chromium), node, typescript (the npm package
beside those that an exported page runs with), web-runtime (the npm packages that an exported
page runs with, see HEADSTART_RUNTIME_WEB), axe (the npm package axe-core beside them), shared (the
development data beside the checkout).
"""

from __future__ import annotations

import os

import pytest

NEEDS = ("browser", "node", "typescript", "web-runtime", "axe", "shared")
REQUIRED = frozenset(name for name in os.environ.get("HEADSTART_REQUIRE", "").split(",") if name)
assert set(NEEDS) >= REQUIRED, f"HEADSTART_REQUIRE may name {', '.join(NEEDS)}; it names {', '.join(REQUIRED)}"


def skip_without(need: str, available: object, reason: str) -> None:
    """Skip the test that calls this unless what it needs is available; fail it where that is required."""
    assert need in NEEDS
    if available:
        return
    if need in REQUIRED:
        pytest.fail(f"HEADSTART_REQUIRE names {need}, and {reason}")
    pytest.skip(reason)


def marked_without(need: str, available: object, reason: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test unless what it needs is available; where that is required the test runs."""
    assert need in NEEDS
    return pytest.mark.skipif(not available and need not in REQUIRED, reason=reason)
