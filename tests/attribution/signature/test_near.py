"""Mail that misses a skeleton by one thing: what is one thing, and what is more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import attribute, compile_signatures, learn, match
from spamtide.attribution.signature.guarded import forgiven
from spamtide.knowledge import load_knowledge

RULE = """rule engine
{
    meta:
        kind = "botnet"
        name = "alpha"
        layer = "skeleton"
        near = "%s"
    strings:
        $order        = /header-order: ([^\\n]{0,2000},)?Message-ID,From,To,(Cc,)?X-Mailer,Content-Type[,\\n]/
        $message_id   = /header Message-ID: <[0-9]{6}@[a-z]{1,9}>\\n/
        $content_type = /header Content-Type: multipart\\/mixed; boundary="[0-9a-f]{8}"\\n/
        $x_mailer     = /header X-Mailer: Duck 1\\.[0-9]\\n/
        $to_form      = /header To: <[^<> \\n]{0,200}>\\n/
        $id_host      = /traits: id-host=name /
        $fold         = /traits: [^\\n]{0,80}fold=tab /
        $never        = /header-order: ([^\\n]{0,2000},)?(User-Agent)[,\\n]/
    condition:
        all of ($order, $message_id, $content_type, $x_mailer, $to_form, $id_host, $fold) and not $never
}
"""
ALL = "order message_id content_type x_mailer to_form id_host fold"
MAIL = {
    "Message-ID": "<123456@pc>",
    "From": "a@a.example",
    "To": "<b@b.example>",
    "X-Mailer": "Duck 1.3",
    "Content-Type": 'multipart/mixed; boundary="0123abcd"',
}
Fields = list[tuple[str, str]]


def rendered(fields: Fields, traits: str = "id-host=name clock=apart helo=name fold=tab layout=x ") -> str:
    lines = [f"header-order: {','.join(name for name, _ in fields)}"]
    lines += [f"header {name}: {value}" for name, value in fields]
    return "\n".join([*lines, f"traits: {traits}", "text:", ""])


def hits(rendering: str, near: str = ALL) -> tuple[str, ...]:
    told = "; ".join(f"{fault} 95 % (0 of 9)" for fault in near.split())
    return match([rendering], compile_signatures([(Path("near.yar"), RULE % told)]))[0]


def altered(change: Callable[[Fields], None]) -> str:
    fields = list(MAIL.items())
    change(fields)
    return rendered(fields)


def put(at: int, name: str, value: str) -> Callable[[Fields], None]:
    return lambda fields: fields.__setitem__(at, (name, value))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda fields: fields.insert(0, ("X-Gate", "1")), ""),
        (lambda fields: fields.insert(2, ("X-Gate", "1")), "order"),
        (put(0, "Message-Id", "<123456@pc>"), "order"),
        (lambda fields: fields.append(fields.pop(0)), "order"),
        (lambda fields: fields.pop(1), "order"),
        (lambda fields: fields.pop(3), "x_mailer"),
        (put(3, "X-Mailer", "Duck 2.0"), "x_mailer"),
        (put(0, "Message-ID", "<1234567@pc>"), "message_id"),
        (put(4, "Content-Type", 'multipart/mixed; boundary="pc0123abcd"'), "content_type"),
        (put(2, "To", "b@b.example"), "to_form"),
        (lambda fields: fields.insert(3, ("Cc", "c@c.example")), ""),
    ],
)
def test_one_thing_is_a_fault(change: Callable[[Fields], None], fault: str) -> None:
    assert hits(altered(change)) == (f"engine~{fault}" if fault else "engine",)


def test_strings_read_off_one_field_are_one_thing() -> None:
    fields = [("Message-ID", "<1234567@x.example>"), *list(MAIL.items())[1:]]
    assert hits(rendered(fields, "id-host=domain clock=apart helo=name fold=tab layout=x ")) == (
        "engine~message_id",
    )
    assert hits(rendered(list(MAIL.items()), "id-host=name clock=apart helo=name fold=2 layout=x ")) == (
        "engine~fold",
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: (put(0, "Message-ID", "<1@pc>")(fields), put(2, "To", "b@b.example")(fields)),
        lambda fields: (fields.pop(3), fields.insert(1, ("X-Gate", "1"))),
        lambda fields: (fields.pop(3), fields.pop(1)),
        lambda fields: (put(0, "Message-Id", "<123456@pc>")(fields), put(2, "To", "b@b.example")(fields)),
        lambda fields: [fields.insert(2, (f"X-Gate-{n}", "1")) for n in range(4)],
        lambda fields: fields.insert(2, ("User-Agent", "Goose")),
        lambda fields: fields.reverse(),
        lambda fields: fields.clear(),
    ],
)
def test_two_things_are_another_engine(change: Callable[[Fields], None]) -> None:
    assert hits(altered(change)) == ()


def test_only_what_the_rule_forgives_is_forgiven() -> None:
    assert hits(altered(put(2, "To", "b@b.example")), "order fold") == ()
    assert hits(altered(lambda fields: fields.pop(3)), "order fold") == ()


def test_where_a_skeleton_matches_no_other_nearly_does() -> None:
    other = RULE.replace("rule engine", "rule other").replace("[0-9]{6}", "[0-9]{7}")
    told = "message_id 95 % (0 of 9)"
    ruleset = compile_signatures([(Path("one.yar"), RULE % told), (Path("two.yar"), other % told)])
    assert match([rendered(list(MAIL.items()))], ruleset) == [("engine",)]


def test_learned_skeletons_say_what_is_left_of_them(
    new_world: Callable[..., Any],
    kits: dict[str, Callable[..., Any]],
    as_table: Callable[[list[dict[str, Any]]], pa.Table],
) -> None:
    """An altered message with a known text is its family's; with a text that no lab has, nobody's."""
    world = new_world(23)
    world.family("alpha", kits["stone"], weeks=2, lab=40, wild=4)
    world.ham(100)
    learned = learn(
        as_table([row for row in world.rows if row["lab"]]),
        as_table([row for row in world.rows if row["label"] == "ham"]),
    )
    near = [forgiven(line.split('"')[1]) for line in learned.text["alpha"].splitlines() if " near " in line]
    assert near
    assert all(50 < sure <= 97 and (hits, n) == (0, 100) for one in near for sure, hits, n in one.values())
    ruleset = compile_signatures([(Path(name), text) for name, text in learned.files().items()])
    asked = []
    for row in world.rows:
        if row["truth"] and not row["lab"]:
            rendering = row["rendering"].replace(",Subject,", ",X-Gate,Subject,")
            head = rendering.partition("\ntext:")[0]
            asked.append(row | {"rendering": rendering, "campaign": None})
            new = {"rendering": f"{head}\ntext:\nnew\n", "sha256": f"{len(asked):064}", "campaign": None}
            asked.append(row | new)
    for row, found in zip(asked, match([row["rendering"] for row in asked], ruleset), strict=True):
        assert any(rule.endswith("skeleton_1~order") for rule in found)
        row["rules"] = list(found)
    for rows, botnet in ((asked[::2], "alpha"), (asked[1::2], "unknown")):
        answers = attribute(as_table(rows), ruleset, load_knowledge())["botnet"].to_pylist()
        assert set(answers) == {botnet}
