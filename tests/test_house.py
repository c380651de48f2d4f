"""The house: modules stand alone, stay small, and the documents match the program."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from spamtide import model, schema
from spamtide.api import Reading
from spamtide.store.exported import EXPORTS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "spamtide"
MODULES = sorted(
    ".".join(("spamtide", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
)
MAX_LINES = 500
BANNED_NAMES = {"utils", "helpers", "common", "core", "manager"}

IMPORT_ALONE = """
import importlib, os, sys
import numpy
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_every_module_can_be_imported_alone() -> None:
    """Each in a process that has imported nothing else of Spamtide, and of libraries numpy alone."""
    command = [sys.executable, "-c", IMPORT_ALONE, *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter

    assert len(MODULES) > 40
    assert done.stdout == ""


def test_modules_are_small_and_named_for_what_they_hold() -> None:
    paths = [*SOURCE.rglob("*.py"), *(ROOT / "native").glob("*.c")]
    sizes = {path: len(path.read_text().splitlines()) for path in paths}

    assert {str(path): size for path, size in sizes.items() if size > MAX_LINES} == {}
    assert {path.stem for path in sizes} & BANNED_NAMES == set()


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(ROOT / "docs" / "make.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_links_between_documents_resolve() -> None:
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in documents()
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_documents_name_no_machines_paths() -> None:
    """What a shell printed into a page, or a path that only its writer has."""
    written = re.compile(r"(?<![\w.])/(?:root|home|tmp|work|usr/local)/")
    assert [page.name for page in documents() if written.search(page.read_text())] == []


def test_every_decision_is_in_the_index() -> None:
    """Under the place that a heading has on a page: lower case, words joined by hyphens."""
    index, _, page = (ROOT / "docs" / "decisions.md").read_text().partition("\n## ")
    headings = re.findall(r"^## (.+)$", f"\n## {page}", re.MULTILINE)
    places = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert sorted(re.findall(r"\]\(#([^)]+)\)", index)) == sorted(places)


def test_every_stage_has_its_page() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()} - {"knowledge"}

    assert rooms - {path.stem for path in (ROOT / "docs" / "path").glob("*.md")} == set()


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_commands_in_documents_exist(page: Path) -> None:
    """Every `spamtide COMMAND` and `make TARGET` named in a document is one of the program's."""
    from typer.main import get_command

    from spamtide.cli import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group has commands
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    quoted = "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)])
    named = set(re.findall(r"(?:^|[\s;&(])spamtide(?: -C \S+| -q| -v)* ([a-z]+)\b", quoted))

    assert named - commands <= {"import"}
    assert set(re.findall(r"(?:^|\s)make ([a-z]+)", quoted)) <= targets


@pytest.mark.parametrize(
    ("record", "table", "apart"),
    [
        (model.Campaign, schema.CAMPAIGNS, set()),
        (model.Attribution, schema.ATTRIBUTIONS, set()),
        (model.Change, schema.CHANGES, set()),
        (model.Observation, schema.OBSERVATIONS, set()),
        (model.RawMessage, schema.RAW, {"envelope", "as_read"}),
    ],
)
def test_what_the_model_says_of_a_record_its_table_holds(
    record: type, table: pa.Schema, apart: set[str]
) -> None:
    fields = {field.name for field in dataclasses.fields(record)}
    assert fields - set(table.names) == apart


def test_every_exported_table_has_a_method_in_python() -> None:
    assert all(callable(getattr(Reading, table)) for table in EXPORTS)
