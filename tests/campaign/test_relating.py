"""Campaigns that hide what they are: rewritten, spun, padded, on rotating hosts; whatever the order."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import random
import string
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spamtide.campaign import COLUMNS, CampaignState, cluster, profile, relate, relating, resolve
from spamtide.message import parse
from spamtide.model import Observation, RawMessage
from spamtide.observation import observe
from spamtide.schema import OBSERVATIONS, PROFILES

EMPTY = CampaignState.empty()
STARTS = (
    "alpha",
    "brim",
    "cord",
    "dusk",
    "fern",
    "grit",
    "husk",
    "jolt",
    "kelp",
    "loom",
    "mint",
    "nook",
    "opal",
)
ENDS = ("ance", "wold", "stead", "mere", "ridge", "field", "burrow", "haven", "crest", "gate")


@pytest.fixture(scope="module")
def adversary() -> ModuleType:
    """The hostile generator; test folders are no packages."""
    path = Path(__file__).parent / "adversary.py"
    spec = importlib.util.spec_from_file_location("adversary", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["adversary"] = module
    spec.loader.exec_module(module)
    return module


def observed(mails: Sequence[tuple[object, bytes]]) -> list[Observation]:
    """What is seen of each mail, by the real reader."""
    raws = [RawMessage(hashlib.sha256(data).hexdigest(), "s", "spam", None, "", data) for _, data in mails]
    return [observe(raw, parse(raw.data), key=b"k") for raw in raws]


def profiles_of(observations: Sequence[Observation]) -> pa.Table:
    """What each message talks about."""
    columns = {name: [getattr(one, name) for one in observations] for name in COLUMNS}
    made = {name: pa.array(list(v), OBSERVATIONS.field(name).type) for name, v in columns.items()}
    return pa.Table.from_batches([profile(pa.RecordBatch.from_pydict(made))], PROFILES)


class Run:
    """Lot after lot, as `update` does it."""

    def __init__(self, planting: SimpleNamespace) -> None:
        self.planting = planting
        self.state = EMPTY
        self.said: dict[str, str] = {}
        self.profiles = PROFILES.empty_table()

    def take(self, lot: Sequence[Observation]) -> dict[str, str]:
        """Cluster and relate one lot; the campaign of every message so far."""
        done = cluster(self.planting.tabulate(lot), self.state, messages=Counter(self.said.values()))
        self.profiles = pa.concat_tables([self.profiles, profiles_of(lot)])
        names = (done.memberships[name].to_pylist() for name in ("sha256", "campaign"))
        self.said |= dict(zip(*names, strict=True))
        self.state = relate(done, self.state, self.profiles, Counter(self.said.values()))
        return self.names()

    def names(self) -> dict[str, str]:
        """The campaign of every message so far."""
        now = resolve(self.state.lineage)
        return {sha256: now.get(name, name) for sha256, name in self.said.items()}


def shuffled(observations: Sequence[Observation], lots: int) -> list[list[Observation]]:
    order = list(observations)
    random.Random(1).shuffle(order)
    return [order[start::lots] for start in range(lots)]


@pytest.mark.parametrize("habit", ["plain", "spun", "footer", "long footer"])
def test_hostile_campaigns_are_whole_and_pure(
    adversary: ModuleType, planting: SimpleNamespace, habit: str
) -> None:
    """Busters in front, behind and hidden, rotating hosts, 60 % spun, shared footers; singles of one kind."""
    habits = {
        "plain": adversary.Habits(),
        "spun": adversary.Habits(spin=0.6),
        "footer": adversary.Habits(footer=2),
        "long footer": adversary.Habits(footer=4),
    }[habit]
    world = adversary.world(21, habits, campaigns=25, singles=25)
    found = Run(planting).take(observed(world.mails))
    precision, recall = planting.b_cubed(found, world.truth)
    assert precision >= 0.98
    assert recall >= 0.95


def test_rewritten_campaigns_are_found_in_any_order(adversary: ModuleType, planting: SimpleNamespace) -> None:
    """Each message tells what it tells in other sentences, in another order: precision 0.97, recall 0.80."""
    world = adversary.world(22, adversary.Habits(paraphrase=True, spin=0.3), campaigns=14, singles=20)
    seen = observed(world.mails)
    whole = Run(planting).take(seen)
    precision, recall = planting.b_cubed(whole, world.truth)
    assert precision >= 0.97
    assert recall >= 0.80
    lots = Run(planting)
    for lot in shuffled(seen, 8):
        found = lots.take(lot)
    assert planting.adjusted_rand(whole, found) >= 0.97


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_joined_can_be_parted(planting: SimpleNamespace, seed: int) -> None:
    """Two offers told in a rare frame are one until many others use that frame too; then they are two."""
    dice = random.Random(seed)
    words = [start + end for start in STARTS for end in ENDS]
    dice.shuffle(words)
    frame, rest = words[:10], words[10:]
    offers = [rest[6 * number : 6 * number + 6] for number in range(12)]
    unused = rest[6 * len(offers) :]

    def told(offer: list[str], count: int) -> list[Observation]:
        mails = []
        for _ in range(count):
            mixed = [*frame, *offer]
            dice.shuffle(mixed)
            mails.append(planting.observe(" so the ".join(mixed)))
        return mails

    others = [planting.observe(" so the ".join(dice.sample(unused, 16))) for _ in range(30)]
    first, second = told(offers[0], 2), told(offers[1], 2)
    run = Run(planting)
    before = run.take([*first, *second, *others])
    assert len({before[one.sha256] for one in (*first, *second)}) == 1
    after = run.take([one for offer in offers for one in told(offer, 12)])
    assert len({after[one.sha256] for one in first}) == len({after[one.sha256] for one in second}) == 1
    assert after[first[0].sha256] != after[second[0].sha256]
    assert "split" in run.state.lineage["kind"].to_pylist()
    kept = {after[one.sha256] for one in (*first, *second)}
    assert before[first[0].sha256] in kept  # the one goes on by the name that both had


def test_lineage_says_what_became_of_each_name(adversary: ModuleType, planting: SimpleNamespace) -> None:
    """Whatever was merged and split: every name resolves to one that is alive and has exemplars."""
    world = adversary.world(23, adversary.Habits(paraphrase=True), campaigns=8, singles=10, most=40)
    run = Run(planting)
    for lot in shuffled(observed(world.mails), 10):
        names = run.take(lot)
        now = resolve(run.state.lineage)
        alive = {now.get(name, name) for name in run.state.exemplars["campaign"].to_pylist()}
        assert set(names.values()) == alive
        assert all(name not in now for name in alive)
    assert "merged" in run.state.lineage["kind"].to_pylist()


def test_an_observatory_without_profiles_is_related_all_the_same(
    adversary: ModuleType, planting: SimpleNamespace
) -> None:
    """Exemplars of which nothing is known stay as `cluster` left them."""
    world = adversary.world(24, adversary.Habits(), campaigns=3, singles=3, most=20)
    lot = observed(world.mails)
    done = cluster(planting.tabulate(lot), EMPTY)
    state = relate(done, EMPTY, PROFILES.empty_table(), {})
    assert state.exemplars.equals(done.state.exemplars)
    assert state.lineage.equals(done.state.lineage)


def test_new_mail_does_not_outvote_a_name(planting: SimpleNamespace) -> None:
    """However much comes in other words the day after, a campaign goes on by the name that it has."""
    dice = random.Random(7)
    words = [start + end for start in STARTS for end in ENDS]
    dice.shuffle(words)
    offer, unused = words[:20], words[20:]

    def told() -> str:
        return " ".join(dice.sample(offer, len(offer))) + " dealer@lantern-hill.example"

    run = Run(planting)
    first = [planting.observe(told()) for _ in range(3)]
    others = [planting.observe(" so the ".join(dice.sample(unused, 14))) for _ in range(30)]
    before = run.take([*first, *others])
    names = {before[one.sha256] for one in first}
    assert len(names) == 1
    text = told()
    after = run.take([planting.observe(text, f"{text[:20]} {number}") for number in range(20)])
    assert {after[one.sha256] for one in first} == names
    assert max(Counter(after.values()).values()) == 23


@pytest.mark.parametrize(("housed", "least"), [(False, 0.80), (True, 0.75)])
def test_rewritings_in_volume_are_one_if_what_they_came_in_is_rare(
    adversary: ModuleType, planting: SimpleNamespace, *, housed: bool, least: float
) -> None:
    """Five texts of one campaign: by what they came in, or days alone where a topic comes in one form."""
    habits = adversary.Habits(paraphrase=True, variants=5, housed=housed)
    world = adversary.world(55, habits, campaigns=16, singles=20, most=80)
    precision, recall = planting.b_cubed(Run(planting).take(observed(world.mails)), world.truth)
    assert precision >= 0.98
    assert recall >= least


def test_a_campaign_that_is_most_of_the_mail_is_whole(planting: SimpleNamespace) -> None:
    """What it says is in most texts; the few words thrown in must not be all that tells them apart."""
    dice = random.Random(5)
    words = [start + end for start in STARTS for end in ENDS]
    dice.shuffle(words)
    offer, thrown, unused = words[:16], words[16:60], words[60:]

    def told() -> str:
        said = [" ".join(offer[4 * place : 4 * place + 5]) for place in range(4) if dice.random() < 0.8]
        return " ".join([*dice.sample(said, len(said)), *dice.sample(thrown, 8)])

    letters = [planting.observe(told(), " ".join(offer[:3])) for _ in range(150)]
    others = [planting.observe(" ".join(dice.sample(unused, 18))) for _ in range(20)]
    found = Run(planting).take([*letters, *others])
    assert Counter(found[one.sha256] for one in letters).most_common(1)[0][1] >= 140
    assert len({found[one.sha256] for one in others}) == 20


@pytest.mark.parametrize(("copies", "days", "campaigns"), [(1, 0, 8), (6, 0, 1), (6, 5, 8)])
def test_letters_of_one_sender_are_one_if_sent_in_volume_and_side_by_side(
    planting: SimpleNamespace, copies: int, days: int, campaigns: int
) -> None:
    """What a feed sends once each, or a sender in turn, is not one text, whatever host all of it names."""
    dice = random.Random(3)
    words = [start + end for start in STARTS for end in ENDS]
    dice.shuffle(words)
    common, own = words[:6], words[6:]
    start, link = dt.datetime(2012, 5, 1, tzinfo=dt.UTC), "http://www.lantern-hill.example/item?id=7"
    domain = {"links": (link,), "link_domains": ("lantern-hill.example",)}
    letters: list[list[Observation]] = []
    for number in range(8):
        said = [*common, *own[10 * number : 10 * number + 10]]
        dice.shuffle(said)
        letters.append(
            [
                planting.observe(
                    f"{' '.join(said)} {link}",
                    f"{number} {copy}",
                    received_at=start + dt.timedelta(days=days * number + copy),
                    **domain,
                )
                for copy in range(copies)
            ]
        )
    others = [planting.observe(" ".join(dice.sample(own, 12))) for _ in range(60)]
    found = Run(planting).take([*(one for letter in letters for one in letter), *others])
    assert len({found[one.sha256] for letter in letters for one in letter}) == campaigns


def one_liners(
    planting: SimpleNamespace, dice: random.Random, words: list[str], begin: int
) -> list[Observation]:
    """A sentence or the shop's name, one of four subjects, a host that changes every three days."""
    sentence = " ".join(dice.sample(words, 9))
    subjects = [" ".join(dice.sample(words, 4)) for _ in range(4)]
    shop = ("Quiet Harbour Pills official store", "Your Quiet Harbour Pills team today")
    mails = []
    for _ in range(60):
        day = dice.randrange(12)
        host = f"{dice.choice(STARTS)}{(begin + day) // 3}.example"
        link = f"http://{host}/p{dice.randrange(10_000)}.html"
        text = sentence if dice.random() < 0.6 else dice.choice(shop)
        subject = f"{dice.choice(words)}.{dice.choice(words)}: {dice.choice(subjects)}"
        when = dt.datetime(2012, 5, 1, tzinfo=dt.UTC) + dt.timedelta(days=begin + day)
        facts = {"links": (link,), "link_domains": (host,), "received_at": when}
        mails.append(planting.observe(f"\n{text}\n{link}", subject, **facts))
    return mails


def test_mail_of_one_line_is_whole_and_the_name_of_its_shop_joins_nothing(planting: SimpleNamespace) -> None:
    """Four campaigns of one sender in turn: whatever subject, line and host; all name the shop."""
    dice = random.Random(9)
    words = [start + end for start in STARTS for end in ENDS]
    campaigns = [one_liners(planting, dice, words, 10 * number) for number in range(4)]
    found = Run(planting).take([one for campaign in campaigns for one in campaign])
    truth = {one.sha256: number for number, campaign in enumerate(campaigns) for one in campaign}
    precision, recall = planting.b_cubed(found, truth)
    assert precision == 1.0
    assert recall >= 0.95


def test_a_town_in_the_subject_joins_no_texts_of_several_lines(planting: SimpleNamespace) -> None:
    """Two campaigns of one sender in one form, both partly under `news for Seville`; all else differs."""
    dice = random.Random(4)
    words = [start + end for start in STARTS for end in ENDS]
    dice.shuffle(words)
    campaigns = []
    for number in range(2):
        stock = [" ".join(dice.sample(words[number::2], 7)) for _ in range(6)]
        mails = []
        for copy in range(30):
            said = dice.sample(stock, 3)
            host = f"{dice.choice(STARTS)}{copy}{number}.example"
            mails.append(
                planting.observe(
                    "\n{}. {}\n{}\nhttp://{}/go\n".format(*said, host),
                    "news for Seville" if copy % 3 else dice.choice(stock[:2]),
                    links=(f"http://{host}/go",),
                    link_domains=(host,),
                    received_at=dt.datetime(2012, 5, 1 + copy % 9, tzinfo=dt.UTC),
                )
            )
        campaigns.append(mails)
    found = Run(planting).take([one for mails in campaigns for one in mails])
    one, other = ({found[mail.sha256] for mail in mails} for mails in campaigns)
    assert not one & other


def pictured(planting: SimpleNamespace, topic: str, number: int, program: str) -> Observation:
    """Mail of a picture of its own and a subject with a name, as one program sends it."""
    dice = random.Random(f"{topic} {number}")
    reader = f"{dice.choice(STARTS)} {dice.choice(ENDS)}{dice.choice(ENDS)}"
    picture = f"image/png;{dice.choice(('qr', 'code'))}{number:03}.png;{dice.randint(300, 600)};{number:064x}"
    return planting.observe(
        "",
        f"{dice.choice(('Salary', 'Payroll'))} {topic} for {reader}",
        attachments=(picture,),
        layout="multipart/related(text/html,image/png)",
        skeleton=program,
        received_at=dt.datetime(2024, 5, 1 + number % 20, tzinfo=dt.UTC),
    )


def test_mail_that_is_a_picture_is_one_campaign_by_what_it_is_put_together_of(
    planting: SimpleNamespace,
) -> None:
    """Each copy has its own picture and reader; another program's mail under such subjects stays apart."""
    ours = [pictured(planting, "review", number, "from,to,subject") for number in range(80)]
    theirs = [pictured(planting, "update", number, "subject,to,from") for number in range(100, 180)]
    found = Run(planting).take([*ours, *theirs])
    one, other = ({found[mail.sha256] for mail in mails} for mails in (ours, theirs))
    assert len(one) == len(other) == 1
    assert one != other


def test_one_picture_changed_by_a_dot_is_one_campaign(planting: SimpleNamespace) -> None:
    """Subjects that share nothing: the size to a byte tells it, or the page that it leads to on any host."""
    dice = random.Random(2)
    words = [start + end for start in STARTS for end in ENDS]

    def sent(number: int, size: int, page: str) -> Observation:
        return planting.observe(
            "",
            " ".join(dice.sample(words, 3)),
            attachments=(f"image/png;image{number:03}.png;{size};{number:064x}",),
            links=(f"http://{dice.choice(STARTS)}{number}.example/{page}",),
            layout="multipart/related(text/html,image/png)",
            received_at=dt.datetime(2024, 5, 1 + number % 20, tzinfo=dt.UTC),
        )

    changed = [sent(number, 4_321, "".join(dice.sample(string.ascii_lowercase, 9))) for number in range(60)]
    drawn = [sent(number, dice.randint(9_000, 12_000), "offer7.html") for number in range(60, 120)]
    found = Run(planting).take([*changed, *drawn])
    one, other = ({found[mail.sha256] for mail in mails} for mails in (changed, drawn))
    assert len(one) == len(other) == 1
    assert one != other


@pytest.mark.parametrize(
    ("subject", "turned", "days", "campaigns"),
    [
        ("news of all our wares", False, 0, 1),
        ("", True, 0, 1),
        ("", False, 0, 4),
        ("news of all our wares", False, 9, 4),
    ],
)
def test_rewritings_are_one_by_a_subject_or_by_how_their_program_turns(
    planting: SimpleNamespace, subject: str, days: int, campaigns: int, *, turned: bool
) -> None:
    """Four texts that share a quarter of their sentences, sent side by side among others of their topic."""
    dice = random.Random(6)
    words = [start + end for start in STARTS for end in ENDS]
    stock = [" ".join(dice.sample(words, 8)) for _ in range(12)]
    programs = [f"order {number}" for number in range(4)]

    def sent(said: list[str], copies: int, begin: int, forms: Sequence[str], head: str) -> list[Observation]:
        return [
            planting.observe(
                "\n".join([*said, dice.choice(words)]),
                head or f"{said[-1][:18]} {number}",
                received_at=dt.datetime(2012, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=begin + number // 4),
                skeleton=forms[number % len(forms)],
                layout="multipart/mixed(ours)",
            )
            for number in range(copies)
        ]

    def text() -> list[str]:
        return stock[:3] + [" ".join(dice.sample(words, 8)) for _ in range(7)]

    ours = []
    for number in range(4):
        alone = ["ours"] if subject else [f"ours {number}"]
        ours.append(sent(text(), 24, 100 + days * number, programs if turned else alone, subject))
    others = [
        mail
        for number in range(40)
        for mail in sent(dice.sample(stock, 3) + text()[3:], 1, 4 * number, [f"other {number}"], "")
    ]
    found = Run(planting).take([*(mail for lot in ours for mail in lot), *others])
    assert len({found[mail.sha256] for lot in ours for mail in lot}) == campaigns


@pytest.mark.parametrize(("days", "campaigns"), [(0, 1), (4, 4)])
def test_fixed_texts_of_one_sender_are_one_if_sent_side_by_side(
    planting: SimpleNamespace, days: int, campaigns: int
) -> None:
    """Four texts in a form that nobody else of the topic has; what a sender sends in turn are campaigns."""
    dice = random.Random(4)
    words = [start + end for start in STARTS for end in ENDS]
    stock = [" ".join(dice.sample(words, 8)) for _ in range(12)]

    def sent(said: list[str], copies: int, begin: int, form: str) -> list[Observation]:
        return [
            planting.observe(
                "\n".join([*said, dice.choice(words)]),
                f"{said[0][:18]} {number}",
                received_at=dt.datetime(2012, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=begin + number // 2),
                skeleton=f"order {form}",
                layout=f"multipart/mixed({form})",
            )
            for number in range(copies)
        ]

    def text(shared: list[str]) -> list[str]:
        return shared + [" ".join(dice.sample(words, 8)) for _ in range(4)]

    ours = [sent(text(stock[:4]), 12, 100 + days * number, "ours") for number in range(4)]
    others = [
        one
        for number in range(40)
        for one in sent(text(dice.sample(stock, 3)), 1, 4 * number, f"other {number}")
    ]
    found = Run(planting).take([*(one for lot in ours for one in lot), *others])
    assert len({found[one.sha256] for lot in ours for one in lot}) == campaigns


@pytest.mark.parametrize(("bearers_messages", "parted"), [(1, False), (2, False), (3, True)])
def test_the_strain_that_bears_a_name_does_not_take_it_along(bearers_messages: int, *, parted: bool) -> None:
    """A name goes with one strain: if that is little of what goes by it, it stays with the most of it."""
    counts = np.array([bearers_messages, 6, 4, 1])
    names = ["c-bearer", "c-large", "c-other", "c-single"]
    strains: Any = SimpleNamespace(
        head=[*["c-bearer"] * 3, "c-single"],
        place={name: place for place, name in enumerate(names)},
        messages=counts,
        named=counts,
    )
    kept = relating._anchored(strains, np.arange(4), np.array([9, 1, 1, 9]))
    assert kept.tolist() == [9 if parted else 1, 1, 1, 9]


def test_sentences_of_one_stock_join_no_campaigns_of_other_weeks(planting: SimpleNamespace) -> None:
    """Letters of six fixed sentences, four of them taken from a stock of five that all senders have."""
    dice = random.Random(1)
    words = [start + end for start in STARTS for end in ENDS]
    shared = [" ".join(dice.sample(words, 9)) for _ in range(5)]
    letters, truth = [], {}
    for number in range(6):
        said = dice.sample(shared, 4) + [" ".join(dice.sample(words, 9)) for _ in range(2)]
        for copy in range(12):
            when = dt.datetime(2012, 5, 1, tzinfo=dt.UTC) + dt.timedelta(days=20 * number + copy // 2)
            text = "\n".join([*said, dice.choice(words)])
            letters.append(planting.observe(text, f"{said[-1][:20]} {copy}", received_at=when))
            truth[letters[-1].sha256] = number
    assert planting.b_cubed(Run(planting).take(letters), truth) == (1.0, 1.0)


@pytest.mark.parametrize(("senders", "least", "most"), [(1, 36, 40), (40, 1, 8)])
def test_letters_of_one_kind_by_senders_of_their_own_are_no_campaign(
    planting: SimpleNamespace, senders: int, least: int, most: int
) -> None:
    """Letters of five sentences from a stock of eleven: one sender's are one, those of forty are not."""
    dice = random.Random(3)
    words = [start + end for start in STARTS for end in ENDS]
    stock = [" ".join(dice.sample(words, 9)) for _ in range(11)]
    letters = [
        planting.observe(
            "\n".join(dice.sample(stock, 5)),
            dice.choice(stock)[:20],
            skeleton=f"order {number % senders}",
            layout=f"multipart/mixed({number % senders})",
            received_at=dt.datetime(2012, 5, 1 + number % 28, tzinfo=dt.UTC),
        )
        for number in range(40)
    ]
    assert least <= max(Counter(Run(planting).take(letters).values()).values()) <= most


def test_one_text_by_several_senders_is_one_campaign(planting: SimpleNamespace) -> None:
    """Three programs send one text of which a word in ten is spun."""
    dice = random.Random(5)
    words = [start + end for start in STARTS for end in ENDS]
    text = dice.sample(words, 60)
    letters = [
        planting.observe(
            " ".join(dice.choice(words) if dice.random() < 0.1 else word for word in text),
            skeleton=f"order {number % 3}",
            layout=f"multipart/mixed({number % 3})",
            received_at=dt.datetime(2012, 5, 1 + number % 28, tzinfo=dt.UTC),
        )
        for number in range(30)
    ]
    assert len(set(Run(planting).take(letters).values())) == 1
