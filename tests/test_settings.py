"""Settings: defaults, refusal of what is unknown, and the file and line of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from spamtide.errors import SettingsError
from spamtide.observatory import SETTINGS_TEMPLATE
from spamtide.settings import Settings, load_settings


def written(folder: Path, text: str) -> Path:
    (folder / "spamtide.toml").write_text(text, encoding="utf-8")
    return folder


def test_no_file_means_all_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


def test_the_template_is_all_defaults_even_with_its_comments_taken_off(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, SETTINGS_TEMPLATE)) == Settings()
    lines = [
        line.removeprefix("# ")
        for line in SETTINGS_TEMPLATE.splitlines()
        if "=" in line or line.startswith("[")
    ]
    settings = load_settings(written(tmp_path, "\n".join(lines)))

    assert settings.observing.trusted_relays == ("192.0.2.0/24", "mx.example.net")
    assert settings.running == Settings().running


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nmae = 'x'", r"toml:1: no such setting 'nmae'"),
        ("[limits]\nseconds = -1\n", r"toml:2: 'seconds' may not be negative"),
        ("name = 3", r"toml:1: 'name' wants str"),
        ("\n\n[limits]\nseconds = -1.0\n", r"toml:4: 'seconds' may not be negative"),
        ("[limits]\nparts = 1.5\n", r"toml:2: 'parts' wants int"),
        ("[limits]\nparts = true\n", r"toml:2: 'parts' wants int"),
        ("limits = 3", r"toml:1: "),
        ("[observing]\ntrusted_relays = 'x'\n", r"toml:2: 'trusted_relays' wants a list"),
        ("[observing]\ntrusted_relays = ['300.1.1.1']\n", r"toml:2: trusted relay '300.1.1.1'"),
        ("[nothing]\nx = 1\n", r"toml:1: no such setting 'nothing'"),
        ("name = ", r"not valid TOML"),
        ("[detecting]\nratio = 3.0\n", r"toml:2: 'ratio' may be 1 at the most"),
        ("[attributing]\nbotnet_confidence = 90\n", r"toml:2: 'botnet_confidence' may be 1"),
        ("[limits]\nseconds = nan\n", r"toml:2: 'seconds' may be 3600"),
        ("[controlling]\nleast_hours = inf\n", r"toml:2: 'least_hours' may be a finite number"),
        ("[running]\nraw_retention_days = 999999999\n", r"toml:2: 'raw_retention_days'"),
        ("[measuring]\nbase_since = 'nonsense'\n", r"toml:2: 'base_since' is no date"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings(written(tmp_path, text))


def test_a_byte_order_mark_in_front_is_no_fault(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "\ufeffname = 'x'\n")).name == "x"


def test_whole_numbers_are_taken_where_a_number_is_wanted(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "[limits]\nseconds = 2\n")).limits.seconds == 2.0
