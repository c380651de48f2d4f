"""Creatives for the brand Ultimate Replicas (a published brand); the wording is ours."""

from __future__ import annotations

from spamtide.simulate.world import Creative

BRAND = "Ultimate Replicas"

CREATIVES: tuple[Creative, ...] = (
    Creative(
        "ur-wrist",
        BRAND,
        subject="{What is|Look what is} on your wrist, {$local}?",
        lines=(
            "People look at the watch first and at the face afterwards.",
            "{@replicas} builds the {@steel} down to the last screw, for ${$dollars}.",
            "Sapphire glass, {steel|ceramic} bezel, sweeping second hand: your jeweller will hesitate.",
        ),
        call="Look at the {@steel}",
        path="wrist/{?digit:5}",
        buster="words",
    ),
    Creative(
        "ur-boss",
        BRAND,
        subject="{The boss|Your manager} wears the same {one|model}",
        lines=(
            "he paid a car for it, you pay ${$dollars} at {@replicas}.",
            "nobody in the meeting will know which of the two came from {us|our bench}.",
            "box, papers and {green|blue} tag are in the parcel.",
        ),
        call="pick a model",
        path="models?b={?lower:6}",
        buster="story",
    ),
    Creative(
        "ur-bags",
        BRAND,
        subject="{Handbags|Leather bags} and watches, {one|the same} bench",
        lines=(
            "The {spring|winter} bags of {@replicas} left the bench this week.",
            "Stitching, lining and buckles follow the original; the price of ${$dollars} does not.",
            "Add a {@steel} and the shipping is on us.",
            "We answer every letter and take anything back within {ten|twelve} days.",
        ),
        call="Walk along the bench",
        path="bench/{?digit:3}/{?digit:3}",
    ),
    Creative(
        "ur-gallery",
        BRAND,
        subject="Gallery {?digit:4}: {new|fresh} {arrivals|dials}",
        lines=(
            "Gallery number {?digit:4} of {@replicas} is open to subscribers.",
            "It shows {twelve|fourteen} dials that no shop window has had before.",
            "The {@steel} with the midnight dial will be gone first, as it was {last year|in spring}.",
            "Prices begin at ${$dollars} and end where originals would only start to talk.",
        ),
        call="{@replicas}: enter the gallery",
        layout="image",
        path="ultimatereplicas/g{?digit:4}",
    ),
    Creative(
        "ur-gift",
        BRAND,
        subject="{A gift|Something} for {him|her} that {ticks|shines}",
        lines=(
            "Birthdays come back every year; so do good ideas at {@replicas}.",
            "A {@steel} in a wooden {case|box} looks like ten times the ${$dollars} that it costs.",
            "We wrap it, write the card in ink and keep the invoice out of the parcel.",
        ),
        call="Wrap one up",
        layout="banner",
        path="gift?o={?digit:6}",
        buster="hidden",
    ),
    Creative(
        "ur-catalogue",
        BRAND,
        subject="{Catalogue|The catalogue} {?digit:2}/2010",
        lines=(
            "The new catalogue of {@replicas} has ninety pages and no small print.",
            "Every movement is tested for {two|three} days before it may leave the house.",
        ),
        rows=(
            "{@steel}, steel and gold, ${$dollars}",
            "{@steel}, black dial, ${$dollars}",
            "{@steel}, leather strap, ${$dollars}",
            "Pen and cufflinks, ${$dollars}",
        ),
        call="Turn the pages",
        layout="prices",
        path="cat/{?digit:2}/",
    ),
    Creative(
        "ur-collector",
        BRAND,
        subject="{Collector|A collector} sells {whole|entire} cabinet",
        lines=(
            "a collector left his cabinet to {@replicas} and we sell it piece by piece.",
            "number {?digit:2} is a {@steel} with a scratch that only you will ever {find|see}.",
            "${$dollars} takes it, first come, first served.",
        ),
        call="open the cabinet drawer",
        path="cabinet.cgi?{?digit:4}",
        buster="code",
    ),
    Creative(
        "ur-time",
        BRAND,
        subject="{Time|It is time} to {trade up|move up}",
        lines=(
            "Your old watch knows the hour, a {@steel} knows your worth.",
            "{@replicas} ships to {sixty|seventy} countries and insures every parcel.",
            "Pay ${$dollars} now and nothing at the border.",
        ),
        call="Trade up",
        path="up/{?alnum:6}",
        buster="words",
    ),
)
