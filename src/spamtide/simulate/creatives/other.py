"""Creatives of spam that no affiliate programme is behind."""

from __future__ import annotations

from spamtide.simulate.world import NO_PROGRAMME, Creative

CREATIVES: tuple[Creative, ...] = (
    Creative(
        "sw-office",
        NO_PROGRAMME,
        subject="{Office|Design} {suite|bundle} for ${$dollars}, download now",
        lines=(
            "Why wait for a box? The {complete|whole} office bundle is a download of {six|seven} minutes.",
            "Full versions in English, German, French and Spanish with a serial number that works.",
            "Updates are {possible|included}; manuals come as a file.",
        ),
        rows=("Office bundle, ${$dollars}", "Photo bundle, ${$dollars}", "Engineer bundle, ${$dollars}"),
        call="Start the download",
        layout="prices",
        path="soft/{?digit:4}",
        buster="words",
    ),
    Creative(
        "sw-serial",
        NO_PROGRAMME,
        subject="{Serial|Licence} {?ALNUM:4}-{?ALNUM:4} {attached|inside}",
        lines=(
            "Software that costs a month's wages elsewhere is {cheap|affordable} here.",
            "Pick {a title|a program}, pay ${$dollars}, receive the serial by return mail.",
            "Students and {small offices|schools} save another tenth.",
        ),
        call="Browse the titles",
        layout="note",
        path="titles?s={?alnum:4}",
    ),
    Creative(
        "dp-faculty",
        NO_PROGRAMME,
        subject="{Faculty|Registrar} {notice|letter}: your {degree|diploma}",
        lines=(
            "Your working life counts as study, says the board of our {unnamed|independent} college.",
            "A bachelor, master or doctor title arrives in {four|five} weeks, on heavy paper, with a seal.",
            "No classes, no essays, no {examinations|books}.",
            "Ring the registrar any day and leave your name and number, {@first} will call back.",
        ),
        call="Write to the registrar",
        path="registrar/{?digit:5}",
    ),
    Creative(
        "dp-career",
        NO_PROGRAMME,
        subject="{Career|Promotion} {blocked|stuck} by a missing paper?",
        lines=(
            "he has half your experience and twice your salary, because a frame hangs behind his desk.",
            "we print the same frame for you, with your name and {any|every} subject you know well.",
            "discreet, {verifiable|recorded} and ready before the next review.",
        ),
        call="order the frame",
        path="frame?f={?lower:5}",
        buster="story",
    ),
    Creative(
        "af-estate",
        NO_PROGRAMME,
        subject="{URGENT|Confidential}: the {@last} estate",
        lines=(
            "{Dear Sir or Madam|Dear friend},",
            (
                "I am {@first} {@last}, {a solicitor|an attorney} to a late engineer of your family name, "
                "who left no heir."
            ),
            (
                "The sum of {USD|EUR} {?digit:2},{?digit:3},000 lies with a security company and will be "
                "forfeited unless "
                "a relative comes forward before the quarter ends."
            ),
            (
                "I propose to present you as next of kin. You would keep forty per cent for your trouble and "
                "I would "
                "see to the papers, which are entirely {legal|proper}."
            ),
            (
                "Answer to my private address with your full name and telephone number, and tell nobody "
                "until the "
                "matter is closed."
            ),
            "{Yours faithfully|With respect}, {@first} {@last}",
        ),
        layout="plain",
    ),
    Creative(
        "af-lottery",
        NO_PROGRAMME,
        subject="{NOTIFICATION|FINAL NOTICE} ref {?ALNUM:3}/{?digit:4}/{?ALNUM:2}",
        lines=(
            (
                "We are pleased to inform you that your address won the second category of the international "
                "electronic draw held in {the capital|our head office}."
            ),
            (
                "Ticket {?digit:9}, serial {?digit:4}, lucky numbers {?digit:2} {?digit:2} {?digit:2} "
                "{?digit:2}."
            ),
            "The amount of {?digit:3},000.00 {pounds|euros} is insured in your name.",
            (
                "To file the claim send name, age, occupation and country to the fiduciary agent {@first} "
                "{@last}."
            ),
            "Keep this award {from public notice|confidential} until the money has been released.",
        ),
        layout="plain",
    ),
    Creative(
        "af-cargo",
        NO_PROGRAMME,
        subject="{Consignment|Two trunk boxes} {waiting|held} for {you|clearance}",
        lines=(
            "{Compliments of the day|Good day to you}.",
            (
                "I write from the transit hall where two trunk boxes with your name on the tag have stood "
                "for {?digit:2} days."
            ),
            (
                "A scan shows {paper|bank notes} worth {?digit:1}.{?digit:1} million, which the sender did "
                "not declare."
            ),
            "If we agree on thirty per cent I can move the boxes to your door before my shift changes.",
            "Send a telephone number and the nearest airport to this mailbox only.",
            "{Officer|Inspector} {@first} {@last}",
        ),
        layout="plain",
    ),
    Creative(
        "iv-scan",
        NO_PROGRAMME,
        subject="{Scan|Copy} {?digit:3}-{?digit:5}",
        lines=(
            "{Good day|Hello},",
            "the page you asked for was {scanned|copied} today on the machine of the second floor.",
            "Its number is {?digit:3}-{?digit:5}; please keep it with the {invoice|bill}.",
            "{@first}",
        ),
        layout="plain",
        path="scan/{?digit:6}",
    ),
    Creative(
        "iv-overdue",
        NO_PROGRAMME,
        subject="{Invoice|Account} {?digit:6} {overdue|still open}",
        lines=(
            "according to our {books|ledger} the sum of {?digit:3}.{?digit:2} is {two|four} weeks late.",
            "if it was sent in the meantime, {kindly disregard|please forget} this letter.",
            "the accounts desk, {@first} {@last}",
        ),
        layout="plain",
        path="inv?n={?digit:6}",
    ),
    Creative(
        "iv-order",
        NO_PROGRAMME,
        subject="Order {?ALNUM:2}{?digit:5} {has left|was dispatched}",
        lines=(
            "Your order of {three|four|six} {@noun}s left our {store|house} this morning.",
            "The {carrier|driver} will ring an hour before; the papers show what is to be paid at the door.",
            "{Shipping|Dispatch}, {@first} {@last}",
        ),
        layout="note",
        call="See the papers",
        path="order/{?ALNUM:7}",
    ),
    Creative(
        "st-tip",
        NO_PROGRAMME,
        subject="{One|This} {small|quiet} share could {triple|go up threefold} by {Friday|Monday}",
        lines=(
            "a friend on the trading floor rang about a maker of {drones|sensors} that will be bought.",
            "the news is out {tuesday|next week}, and today it costs {less than a dollar|ninety cents}.",
            "i have put in what i could and tell {ten people|only the family}; sell into the rush.",
        ),
        layout="plain",
        buster="story",
    ),
    Creative(
        "st-rumour",
        NO_PROGRAMME,
        subject="{What|The thing} nobody at the exchange has noticed",
        lines=(
            "Volume in this stock has doubled in silence, and somebody always knows why before the rest do.",
            "Our {letter|bulletin} named two at {twenty|thirty} cents; they sold at {two|three} dollars.",
            "Put the ticker on your list before the bell and {make up your own mind|watch it for an hour}.",
        ),
        layout="plain",
        buster="words",
    ),
)
