"""Word lists that templates draw from with `{@name}`."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLAIN = 3
"""Times that a brand's own spelling stands in its list for each time that a disguise does."""


def _brand(plain: str, *disguises: str) -> tuple[str, ...]:
    """Make a list in which most entries are the brand as it is spelt, and the rest are disguises."""
    return (plain,) * (PLAIN * len(disguises)) + disguises


WORDS: Mapping[str, tuple[str, ...]] = {
    "first": _words(
        "Alma Benito Carla Dorian Edith Felix Greta Hugo Irene Jonas Kara Lionel Mabel Nestor Olga Percy "
        "Rosa "
        "Stefan Tilda Ulric Vera Walter Xenia Yorick Zelda Anton Bertha Conrad Dinah Egon Flora Gilbert "
        "Hanna "
        "Ivor Judith Karl Leona Marcus Nadia Otto Paula Quentin Ramona Silas Thelma Vincent Wanda Edgar"
    ),
    "last": _words(
        "Abbot Barlow Castell Drayton Ekman Farrow Gaunt Holloway Ibsen Jarvis Keller Lindqvist Marsh "
        "Norwood "
        "Okafor Pell Quist Rademaker Sorley Thackeray Underhill Varga Whitlock Yardley Zimmer Ashdown Birch "
        "Crane Denholm Elder Fenwick Grange Hartley Ingram Kirby Lorne Mercer Nash Orchard Pike Radley Stroud"
    ),
    "plant": _words(
        "alder aster bracken briar cedar clover cypress daisy elder fern furze gorse hazel heather ivy "
        "juniper "
        "larch laurel lilac lupin maize mallow moss myrtle nettle oak olive orchid pine poppy reed rowan "
        "rush "
        "sage sedge sorrel spruce thistle thyme tulip vetch violet willow yarrow yew"
    ),
    "trade": _words(
        "barn bay brook cliff cove crest dale dell field ford forge gate glen grove harbor haven hill hollow "
        "lake lane ledge mead mill moor orchard park path pond port ridge road shore spring stone vale view "
        "well wharf wood yard"
    ),
    "med": _words("rx med pill tab cure dose pharm relief health care drug remedy"),
    "watch": _words("time dial luxe chrono gold swiss bezel jewel strap second crown"),
    "card": _words("bet spin ace chip reel jackpot dice lucky poker slot card roll"),
    "noun": _words(
        "anchor apron barrel basket beacon bell bench blanket bottle bridge bucket button candle canvas "
        "carpet "
        "castle chalk chimney cloud compass copper corner cotton cradle curtain desk drawer engine feather "
        "fence ferry flute forest garden glove hammer harvest helmet island jacket kettle ladder lantern "
        "ledger lemon marble meadow mirror needle orchard oven paddle pebble pencil pillow pocket quarry "
        "ribbon river saddle sail shovel silver spoon station table thread ticket timber tunnel umbrella "
        "valley velvet violin wagon walnut window winter"
    ),
    "verb": _words(
        "carried painted followed answered opened counted folded gathered lifted measured mended noticed "
        "planted polished repaired sorted stacked traded turned watched weighed"
    ),
    "adjective": _words(
        "amber broad calm coarse deep early faint gentle hollow idle keen late mild narrow old pale quiet "
        "rough slow steady thin uneven warm wide young"
    ),
    "provider": (
        "bluepost.example",
        "quickmail.example",
        "mailhall.example",
        "letterbox.test",
        "openpost.test",
        "northmail.example",
        "citypost.example",
        "freepost.invalid",
    ),
    "machine": (
        "{?upper:3}-{?ALNUM:8}",
        "HOME-{?ALNUM:8}",
        "{@first}PC",
        "ADMIN-{?HEX:6}",
        "user-{?hex:8}",
        "DESKTOP{?digit:2}",
        "OFFICE-{?digit:3}",
    ),
    "isp": (
        "northcable.example",
        "metrodsl.example",
        "telefast.test",
        "plainsnet.example",
        "coastlink.test",
        "uplandtel.example",
        "ringnet.invalid",
        "easternfibre.example",
        "lakescom.test",
        "oldtownadsl.example",
    ),
    # Filler sentences that make no two copies alike; they mean nothing on purpose.
    "story": (
        "The {@adjective} {@noun} {@verb} beside the {@noun}.",
        "A {@noun} and a {@noun} stood near the {@adjective} {@trade}.",
        "Nobody {@verb} the {@adjective} {@noun} before {@first} did.",
        "{@first} {@verb} {?digit:2} pieces of {@noun} in the {@trade}.",
        "Under the {@noun} lay one {@adjective} {@noun}.",
    ),
    "canadian": _brand(
        "Canadian Pharmacy",
        "CanadianPharmacy",
        "C*anadian Pharmacy",
        "Canadian Pharm@cy",
        "CANADIAN  PHARMACY",
        "Canadian-Pharmacy",
        "Canadlan Pharmacy",
    ),
    "express": _brand(
        "Pharmacy Express",
        "PharmacyExpress",
        "Pharmacy-Express",
        "Pharm@cy Express",
        "PHARMACY EXPRESS",
        "Pharrnacy Express",
    ),
    "replicas": _brand(
        "Ultimate Replicas",
        "UltimateReplicas",
        "Ultimate Rep1icas",
        "ULTIMATE REPLICAS",
        "U1timate Replicas",
    ),
    "casino": _brand(
        "Grand Harbour Casino",
        "GrandHarbour Casino",
        "Grand Harbour Cas1no",
        "GRAND HARBOUR CASINO",
        "Grand-Harbour Casino",
    ),
    "blue": ("Viagra", "Viagra", "V1agra", "Vi@gra", "the blue pill"),
    "weekend": ("Cialis", "Cialis", "C1alis", "Ciali$", "the weekend pill"),
    "steel": ("Sea-Dweller", "Aquaracer", "Speed Chronograph", "Yacht Diver", "Pilot Mark II", "Moon Phase"),
}
