"""Creatives for the brand Pharmacy Express (a published brand); the wording is ours."""

from __future__ import annotations

from spamtide.simulate.world import Creative

BRAND = "Pharmacy Express"

CREATIVES: tuple[Creative, ...] = (
    Creative(
        "pe-courier",
        BRAND,
        subject="{Courier|Express} notice: {your order|the parcel} {can leave|may leave} today",
        lines=(
            "{@express} ships within two hours, seven days a week.",
            "Painkillers, sleeping aids and tablets for him are on one page, sorted by price.",
            "The courier rings {once|twice} and leaves without a word.",
        ),
        call="Send the courier",
        path="courier/{?digit:6}",
        buster="story",
    ),
    Creative(
        "pe-rush",
        BRAND,
        subject="{rush|fast} {delivery|shipping} for {$local}",
        lines=(
            "hi {$local}",
            "{@express} opened a depot near you and wants to {fill|try out} its first vans.",
            "until friday the whole range goes out at ${$dollars} a pack, van included.",
            "reply is not needed, the counter below is open day and night.",
        ),
        call="counter",
        path="depot.php?z={?digit:5}",
    ),
    Creative(
        "pe-insurance",
        BRAND,
        subject="Your insurer {pays nothing|will not pay}? We {charge little|ask little}",
        lines=(
            "When the insurer says no, {@express} says ${$dollars}.",
            "We buy from the {same|very} factories and skip four middlemen.",
            "Bring the name of the tablet, we bring the tablet.",
            "More than {eight|nine} hundred preparations are in the catalogue.",
        ),
        call="Look up a tablet",
        path="lookup?q={?lower:3}",
        buster="words",
    ),
    Creative(
        "pe-night",
        BRAND,
        subject="{Open all night|Night counter}: {@weekend} from ${$dollars}",
        lines=(
            "It is late, shops are shut, and {@express} is wide awake.",
            "Order before {four|five} in the morning and the pack travels with the first plane.",
            "Night customers get the mild {@weekend} pack at the price of the small one.",
        ),
        call="Ring the night bell",
        path="night/{?hex:4}",
    ),
    Creative(
        "pe-bulk",
        BRAND,
        subject="{Ninety|One hundred and twenty} tablets, one price",
        lines=(
            "Buying ten at a time is a habit that {@express} would like to cure.",
            "Ninety tablets of {@blue} cost as much as thirty elsewhere, that is ${$dollars} a piece.",
            "Split the pack with a friend; we do not {mind|tell}.",
        ),
        call="Take the big pack",
        path="bulk/{?digit:3}.html",
        buster="code",
    ),
    Creative(
        "pe-letter",
        BRAND,
        subject="A letter from {@first}, {dispatch|packing} room",
        lines=(
            "{Dear customer|Dear friend},",
            "my name is {@first} and I have packed parcels at {@express} for six years.",
            "people ask me which pack leaves the room most often, and it is always {@blue}.",
            "this month the management lets me put a second {strip|blister} into each parcel.",
            "{Yours|Best wishes}, {@first}",
        ),
        call="let me pack yours",
        path="pack/{?alnum:7}",
    ),
    Creative(
        "pe-code",
        BRAND,
        subject="Code {?ALNUM:6} {expires|ends} {tonight|at noon}",
        lines=(
            "Code {?ALNUM:6} takes a third off everything at {@express}.",
            "It works once, for {$address} only, and for any amount of tablets.",
            "Popular with this code: {@weekend}, slimming tea, hair tonic.",
        ),
        call="Use the code",
        path="c/{?ALNUM:6}",
        buster="story",
    ),
)
