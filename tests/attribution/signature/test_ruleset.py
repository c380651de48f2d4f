"""Signature files: what is accepted, what is refused and where, and what a scan gives."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from spamtide.attribution import compile_signatures, load_signatures, match, scan
from spamtide.errors import SettingsError

BRAND = 'rule %s { meta: kind = "programme" name = "%s" strings: $a = "%s" nocase condition: $a }'


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yar").write_text(text, encoding="utf-8")
    return folder


def test_a_rule_that_only_names_a_brand_works(tmp_path: Path) -> None:
    ruleset = load_signatures([write(tmp_path, mine=BRAND % ("maple", "Maple Meds", "Maple Meds"))])
    signature = ruleset.signatures["maple"]
    assert (signature.kind, signature.name, signature.confidence) == ("programme", "Maple Meds", 90)
    assert match(["subject: x\ntext:\nbuy MAPLE meds now", "text:\nnothing"], ruleset) == [("maple",), ()]


def test_rules_of_one_name_in_two_files_are_told_apart(tmp_path: Path) -> None:
    ruleset = load_signatures(
        [
            write(
                tmp_path,
                a=BRAND % ("x", "A", "alpha"),
                b=BRAND % ("x", "B", "beta") + BRAND % ("y", "C", "c"),
            )
        ]
    )
    assert set(ruleset.signatures) == {"a.x", "b.x", "y"}
    assert match(["text: alpha", "text: beta"], ruleset) == [("a.x",), ("b.x",)]


def test_a_later_folder_replaces_a_file_of_the_same_name(tmp_path: Path) -> None:
    shipped = write(tmp_path / "shipped", one=BRAND % ("x", "Old", "word"), two=BRAND % ("y", "Two", "two"))
    own = write(tmp_path / "own", one=BRAND % ("x", "New", "word"))
    ruleset = load_signatures([shipped, own, tmp_path / "missing"])
    assert {s.name for s in ruleset.signatures.values()} == {"New", "Two"}


def test_the_version_follows_the_text_and_not_the_place(tmp_path: Path) -> None:
    text = BRAND % ("x", "A", "alpha")
    one = load_signatures([write(tmp_path / "one", a=text)])
    two = load_signatures([write(tmp_path / "two", a=text)])
    three = load_signatures([write(tmp_path / "three", a=text + "\n")])
    assert one.version == two.version != three.version


def test_a_ruleset_can_be_sent_to_another_process(tmp_path: Path) -> None:
    ruleset = load_signatures([write(tmp_path, a=BRAND % ("x", "A", "alpha"))])
    again = pickle.loads(pickle.dumps(ruleset))  # noqa: S301 - our own bytes
    assert again == ruleset
    assert match(["alpha"], again) == [("x",)]


def test_private_rules_are_building_blocks(tmp_path: Path) -> None:
    text = 'private rule p { condition: true }\nrule q { meta: kind = "botnet" name = "Q" condition: p }'
    ruleset = load_signatures([write(tmp_path, a=text)])
    assert list(ruleset.signatures) == ["q"]
    assert ruleset.signatures["q"].line == 2
    assert match(["anything"], ruleset) == [("q",)]


def test_other_meta_is_kept(tmp_path: Path) -> None:
    text = 'rule q { meta: kind = "botnet" name = "Q" layer = "skeleton" lab_messages = 7 condition: true }'
    assert load_signatures([write(tmp_path, a=text)]).signatures["q"].meta == {
        "layer": "skeleton",
        "lab_messages": "7",
    }


def test_no_folders_and_no_files_give_no_rules(tmp_path: Path) -> None:
    assert match(["text: x"], load_signatures([tmp_path])) == [()]
    assert not load_signatures([]).signatures


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("rule x {\n  condition: $b\n}", 2, "unknown pattern"),
        ("rule x {", 1, "syntax error"),
        ('include "other.yar"', 1, "include"),
        ("\n\nrule x { condition: true }", 3, "'kind' is missing"),
        ('rule x { meta: kind = "botnet" condition: true }', 1, "'name' is missing"),
        ('rule x { meta: kind = "bot" name = "X" condition: true }', 1, "neither botnet nor programme"),
        ('rule x { meta: kind = "botnet" name = "Unknown" condition: true }', 1, "cannot be a name"),
        ('rule x { meta: kind = "botnet" name = "X" confidence = 101 condition: true }', 1, "0 to 100"),
        ('rule x { meta: kind = "botnet" name = "X" confidence = "high" condition: true }', 1, "0 to 100"),
        ('rule x { meta: kind = "botnet" name = "X" expires = "2010" condition: true }', 1, "not a date"),
        (
            'rule x {meta: kind="botnet" name="X"valid_from="2011-01-02" expires="2011-01-01"condition:true}',
            1,
            "expires before",
        ),
        ('rule x { meta: kind = "botnet" name = "X" name = "Y" condition: true }', 1, "stands twice"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    folder = write(tmp_path, good=BRAND % ("ok", "A", "alpha"), wrong=text)
    with pytest.raises(SettingsError) as caught:
        load_signatures([folder])
    assert f"{folder / 'wrong.yar'}:{line}: " in str(caught.value)
    assert reason in str(caught.value)


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yar").write_bytes(b"// one\n// \xff\n")
    with pytest.raises(SettingsError, match=r"a\.yar:2: not UTF-8"):
        load_signatures([tmp_path])


def test_a_byte_order_mark_in_front_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.yar").write_bytes(b"\xef\xbb\xbf" + (BRAND % ("ok", "A", "alpha")).encode())
    assert set(load_signatures([tmp_path]).signatures) == {"ok"}


def test_a_message_that_cannot_be_scanned_has_no_hits_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that counts to two thousand million on every message; the limit is cut for the test."""
    monkeypatch.setattr("spamtide.attribution.signature.ruleset.SCAN_SECONDS", 1)
    slow = 'rule s { meta: kind = "botnet" name = "S" condition: for all i in (0..2000000000) : (i >= 0) }'
    result = scan(["text: x"], compile_signatures([(Path("slow.yar"), slow)]))
    assert (result.hits, result.failed) == ([()], 1)


def test_a_rule_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spamtide.attribution.signature.ruleset.SCAN_SECONDS", 1)
    slow = 'rule s { meta: kind = "botnet" name = "S" condition: for all i in (0..2000000000) : (i >= 0) }'
    folder = write(tmp_path, a=BRAND % ("ok", "A", "alpha"), slow=slow)
    with pytest.raises(SettingsError, match=r"slow\.yar:1: .*page of plain text"):
        load_signatures([folder])


@pytest.mark.parametrize("rendering", ["", "\x00\udcff", "text:\n" + "a" * 200_000])
def test_any_text_can_be_scanned(tmp_path: Path, rendering: str) -> None:
    result = scan([rendering], load_signatures([write(tmp_path, a=BRAND % ("x", "A", "alpha"))]))
    assert (result.hits, result.failed) == ([()], 0)
