"""Creatives for the brand Canadian Pharmacy (published: SpamIt); the wording is ours."""

from __future__ import annotations

from spamtide.simulate.world import Creative

BRAND = "Canadian Pharmacy"

CREATIVES: tuple[Creative, ...] = (
    Creative(
        "cp-refill",
        BRAND,
        subject="{$local}, {your refill|the refill} is {?digit:2}% cheaper {today|this week}",
        lines=(
            "Dear {$local},",
            "{@canadian} has kept your prescription price low for another {month|season}.",
            (
                "Order {@blue} from ${$dollars} a tablet, shipped in a plain {envelope|parcel} with no "
                "questions asked."
            ),
            "Four bonus tablets come with {every|each} order that is placed before {Sunday|the weekend}.",
        ),
        call="Refill at {@canadian}",
        layout="banner",
        path="refill/?id={?digit:6}",
        buster="hidden",
    ),
    Creative(
        "cp-pricelist",
        BRAND,
        subject=(
            "{Price list|Prices} for {?upper:1}{?lower:2}{?digit:3}: men's {health|pills} from ${$dollars}"
        ),
        lines=(
            "The {@canadian} autumn list is out and nothing on it went up.",
            "All tablets are checked twice, packed in {Toronto|Montreal} and sent by tracked air mail.",
        ),
        rows=(
            "{@blue} 100 mg x 10, ${$dollars}",
            "{@weekend} 20 mg x 10, ${$dollars}",
            "Mixed pack for beginners, ${$dollars}",
            "Sleeping tablets x 30, ${$dollars}",
        ),
        call="See the whole list",
        layout="prices",
        path="canadian/list{?digit:1}.html",
    ),
    Creative(
        "cp-image",
        BRAND,
        subject="{VIP|Member} {sale|savings} -{?digit:2}% for {$address}",
        lines=("Trouble reading this letter? {Open it|View it} in your browser.",),
        call="{@canadian} number one online pharmacy, {@blue} {@weekend} and more, -{?digit:2}%",
        layout="image",
        path="canadianpharmacy/{?lower:5}{?digit:2}.php",
        buster="words",
    ),
    Creative(
        "cp-doctor",
        BRAND,
        subject="{A doctor|Our physician} answers your question, {$local}",
        lines=(
            "{Good day|Hello} {$local},",
            "Many men never ask, so our physician at {@canadian} answers before they do.",
            "A {small|modest} tablet of {@weekend} works for thirty-six hours and needs no planning at all.",
            (
                "You do not have to visit anybody: the consultation takes {three|four} minutes and costs "
                "nothing."
            ),
            "Delivery is {discreet|unmarked} and the first order carries a full refund promise.",
        ),
        call="Ask the physician",
        layout="note",
        path="ask?m={?alnum:8}",
    ),
    Creative(
        "cp-holiday",
        BRAND,
        subject="{Summer|Season} clearance closes in {?digit:1} hours",
        lines=(
            "{@canadian} empties its summer shelves until midnight.",
            "Every pack of {@blue} is sold at half of the catalogue price while stocks last.",
            "Returning customers get free shipping and a {gift|present} of four tablets.",
            "Use the voucher {?ALNUM:4}-{?ALNUM:4} at the counter of the shop.",
        ),
        call="Enter the clearance",
        layout="imitation",
        path="clearance/{?digit:4}/",
        buster="code",
    ),
    Creative(
        "cp-licensed",
        BRAND,
        subject="{Licensed|Certified} {tablets|medicine}, {no doctor|no waiting room}",
        lines=(
            "Seven hundred thousand customers chose {@canadian} last year, and they keep coming back.",
            (
                "Our stock is licensed, our staff answers at night, and our parcels cross borders {without "
                "trouble|safely}."
            ),
            "Pay by card, sign nothing, and read the leaflet in {nine|eleven} languages.",
        ),
        call="Meet your {new|online} pharmacy",
        layout="banner",
        path="licensed/index.php?c={?hex:6}",
        buster="story",
    ),
    Creative(
        "cp-wife",
        BRAND,
        subject="She {noticed|remarked on} the difference",
        lines=(
            "He was {forty-nine|fifty-three} and thought that those evenings were over.",
            "Then a friend whispered the name {@canadian} to him across the {garden fence|bar}.",
            "One soft tab of {@blue}, a quarter of an hour, and the story starts again.",
        ),
        call="Read how it went on",
        layout="note",
        path="story.php?n={?digit:5}",
        buster="words",
    ),
    Creative(
        "cp-shortorder",
        BRAND,
        subject="{Order|Invoice draft} no. {?digit:7}",
        lines=(
            "Your basket at {@canadian} is still {waiting|reserved}.",
            "It holds 30 x {@weekend} at ${$dollars}, and the price is kept until {tomorrow|tonight}.",
            "Confirm it with one click, or let it go to the next {customer|visitor}.",
        ),
        call="Confirm basket {?digit:7}",
        layout="imitation",
        path="basket/{?digit:7}",
    ),
    Creative(
        "cp-energy",
        BRAND,
        subject="{Energy|Stamina} for {@first}",
        lines=(
            "Tired in the evening? The cabinet of {@canadian} knows eleven answers.",
            "Try {@blue} professional, chewable and {mint|cherry} flavoured, for ${$dollars} each.",
            "We refund the whole sum if the postman is late.",
        ),
        call="Open the cabinet",
        layout="banner",
        path="cabinet/?{?alnum:6}",
        buster="hidden",
    ),
    Creative(
        "cp-affiliate",
        BRAND,
        subject="{@canadian}: {best|lowest} prices on the net",
        lines=(
            "{@canadian} is the number one internet drugstore of the year.",
            "Save up to eighty percent on {@blue}, {@weekend} and two hundred other {articles|products}.",
            "Fast shipping, secure checkout, round the clock support.",
        ),
        call="Click here to visit {@canadian}",
        layout="image",
        path="shop/{?digit:3}/",
    ),
    Creative(
        "cp-ecard",
        BRAND,
        subject="{@first} sent you {an e-card|a greeting card}",
        lines=(
            "{@first} {@last} picked a card for {$address} and {wrote|added} a line to it.",
            "The card stays in our gallery for {seven|ten} days; the picture below is its cover.",
            "This greeting is sponsored by {@canadian}, where good wishes come in small blue packs.",
            "Visitors of the gallery receive a coupon worth ${$dollars} for their next order of {@blue}.",
        ),
        call="Pick up the card",
        layout="imitation",
        path="card.php?c={?HEX:10}",
        buster="code",
    ),
    Creative(
        "cp-survey",
        BRAND,
        subject="{Two|Three} questions, one {free pack|voucher}",
        lines=(
            "We ask {$domain} readers what they pay at the chemist round the corner.",
            "Whatever the answer is, {@canadian} asks for less, and puts that in writing.",
            "Fill in the {short|brief} form and four tablets of {@weekend} are yours, postage included.",
            "The form takes a minute. Nobody will telephone you about it afterwards.",
        ),
        call="Fill in the form",
        layout="prices",
        rows=("Chemist round the corner, $11.40", "{@canadian}, ${$dollars}", "You keep, up to 80%"),
        path="form/{?digit:5}.asp",
    ),
    Creative(
        "cp-quiet",
        BRAND,
        subject="{quiet|private} {matter|question}",
        lines=(
            "not everything has to be said in a waiting room.",
            "{@canadian} sends {@blue} and {@weekend} to your door, ${$dollars} and up.",
            "no forms. no faces. no name on the box.",
        ),
        call="{enter|step in}",
        layout="note",
        path="{?lower:4}/{?lower:4}.htm",
        buster="story",
    ),
    Creative(
        "cp-anniversary",
        BRAND,
        subject="{Ten|Twelve} years of {trust|service}: a present inside",
        lines=(
            "{@canadian} celebrates, and the customers get the presents.",
            "Choose any pack of twenty and we double it at our own {expense|cost}.",
            "The anniversary price of {@weekend} is ${$dollars}; last year you paid twice as much.",
            "{Thank you|Thanks} for a decade of confidence.",
        ),
        call="Choose a present",
        layout="banner",
        path="years/{?digit:2}/?p={?alnum:5}",
        buster="words",
    ),
    Creative(
        "cp-stock",
        BRAND,
        subject="Back in stock: {soft tabs|jelly packs} ({?digit:3} left)",
        lines=(
            "You asked us to write when the soft tabs return. They are back.",
            "{@canadian} received {?digit:3} packs this morning and sold a third of them by noon.",
            "Ten soft tabs of {@blue} cost ${$dollars}; larger packs are cheaper still.",
        ),
        call="Keep a pack for me",
        layout="prices",
        rows=("Soft tabs x 10, ${$dollars}", "Soft tabs x 30, ${$dollars}", "Jelly packs x 7, ${$dollars}"),
        path="stock?p={?digit:4}",
        buster="hidden",
    ),
)
