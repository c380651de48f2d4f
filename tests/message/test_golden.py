"""Golden messages: what each one must be parsed to, byte for byte, whatever its line ends."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from spamtide.message import DEFECTS, parse

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.eml"))
FIXED_LINE_ENDS = {"bare-cr", "mixed-line-ends", "cr-only"}
"""Messages whose line ends are the point."""


def as_json(data: bytes) -> dict[str, object]:
    message = parse(data)
    headers = [[header.name, header.value, header.folded] for header in message.headers]
    return json.loads(json.dumps({**dataclasses.asdict(message), "headers": headers}))


def read(name: str) -> bytes:
    return (CORPUS / f"{name}.eml").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    """A golden message gives what is written beside it (SPAMTIDE_GOLDEN=write writes it anew)."""
    expected = CORPUS / f"{name}.json"
    found = as_json(read(name))
    if os.environ.get("SPAMTIDE_GOLDEN") == "write":
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIXED_LINE_ENDS])
def test_line_ends_do_not_matter(name: str) -> None:
    """The CRLF form of a message gives the same as its LF form, but for its size."""
    data = read(name)
    found = as_json(data.replace(b"\n", b"\r\n"))
    assert {**found, "size": len(data)} == as_json(data)


@pytest.mark.parametrize("name", NAMES)
def test_golden_is_named_by_its_defect(name: str) -> None:
    """A golden message that is named for a defect has it; those named none- have no defect at all."""
    defects = parse(read(name)).defects
    if name.startswith("none-"):
        assert defects == ()
    elif name in DEFECTS:
        assert name in defects


def test_brand_is_visible_however_it_is_encoded() -> None:
    """The words 'Maple Meds' can be read in every golden message that shows them in subject or body."""
    silent = {"empty", "encoded-word", "none-attachment", "none-forwarded"}
    plain = {name for name in NAMES if read(name).endswith(b"body\n") or "-charset" in name}
    hidden = {"undecodable-text", "no-body", "no-header-end", "mixed-line-ends", "cr-only"}
    shown = [name for name in NAMES if name not in silent | plain | hidden]
    assert len(shown) > 12
    for name in shown:
        message = parse(read(name))
        assert "Maple Meds" in message.subject + "\n" + message.text, name
