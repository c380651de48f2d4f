"""Spamtide: an open spam observatory. `spamtide.open(directory)` gives an observatory's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spamtide import version

__version__ = version.VERSION

__all__ = ["__version__", "open"]

if TYPE_CHECKING:
    from spamtide.api import open  # noqa: A004 - spamtide.open() is the fixed name of the Python face


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol
    """Load the Python face when it is first asked for, so that the command line starts fast."""
    if name == "open":
        from spamtide import api

        return api.open
    message = f"module 'spamtide' has no attribute '{name}'"
    raise AttributeError(message)
