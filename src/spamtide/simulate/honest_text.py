"""What honest people, lists and newsletters write, as macros. All of it is made up."""

from __future__ import annotations

from collections.abc import Mapping

GREETINGS = ("Hi {$reader},", "Dear {$reader},", "Hello {$reader},", "{$reader} -", "Good {morning|evening},")
FAREWELLS = (
    "Best,\n{$first}",
    "Cheers\n{$first}",
    "Regards\n{$first} {$last}",
    "See you\n{$first}",
    "-- {$first}",
)

CHAT = (
    "Thanks for the {@noun}, it arrived on {Tuesday|Thursday} and fits next to the old {@noun}.",
    "Could you bring the {@noun} when you come over at {?digit:1} on {Saturday|Friday}?",
    "The meeting with {@first} moved to room {?digit:3}, same hour.",
    "I read the draft and left {?digit:2} remarks, most of them about the part on {@noun}s.",
    "The train to {@plant}{@trade} was late again, so {@first} took the {@noun} home by bicycle.",
    "Do you still have the key of the {@trade} house? The {@noun} has to come out before winter.",
    "The chemist on the corner had no {@noun} cream, I ordered it for {Monday|Wednesday}.",
    "My mother asks whether {@first} and {@first} will stay for dinner.",
    "The invoice for the {@adjective} {@noun} is wrong by {?digit:2} euros, I wrote to {@first} {@last}.",
    "We could walk along the {@trade} if the weather holds, otherwise the museum.",
    (
        "Version {?digit:1}.{?digit:1} builds here now, the tests of the {@noun} module still take "
        "{?digit:2} minutes."
    ),
    "I put the photographs of the {@noun} on the shared disk under {@plant}/{?digit:4}.",
    "{@first} had her baby, a girl of {?digit:1}.{?digit:1} kilos, everybody is well.",
    "Who pays for the {@noun}? Last year it was {@first}, so I guess it is me.",
    "The landlord wants to paint the {@noun} {white|grey} and asks us for a date.",
    "Please sign page {?digit:1} and send the {@noun} contract back by {?digit:2} {September|August|July}.",
    "The school play is about a {@noun} and a {@adjective} {@noun}; {@first} is the {@noun}.",
    "Nothing new from the insurance, they keep asking for the number of the {@noun}.",
    "I tried your recipe with {@plant} and it came out {@adjective}, perhaps less {@noun} next time.",
    "The budget for the {@noun} project has {?digit:2},000 left, enough for one more {@noun}.",
    "Tomorrow I am out of office until {noon|three}, call {@first} if the {@noun} breaks.",
    "Did {@first} {@last} ever answer about the {@adjective} office in {@plant}{@trade}?",
    "The printer on the {second|third} floor prints {@adjective} stripes, IT knows.",
    "I booked table {?digit:1} at the {@noun} inn under your name.",
    "We need {?digit:2} chairs, a {@noun} and somebody who can play the {violin|flute}.",
    "Sorry for the silence, the {@noun} kept me busy all {week|month}.",
    "The new {@noun} came without its {@noun}, they will send it with the {@adjective} one.",
    "Grandfather's watch is at the jeweller, he says that the {@noun} spring is worn.",
)

TOPICS = (
    "the {@noun} on {Friday|Monday|Sunday}",
    "{@noun} and {@noun}",
    "Minutes of {?digit:2} {July|August|September}",
    "your {@noun}",
    "{@plant}{@trade} trip",
    "{@first}'s birthday",
    "Draft {?digit:1} of the {@noun} paper",
    "Quick question about the {@noun}",
    "Invoice {?digit:5}",
    "{@adjective} {@noun}?",
    "Photos from {@plant}{@trade}",
    "Café on {Saturday|Tuesday}?",
)

LIST_TALK = (
    "On {?digit:2}.{?digit:1} the {@noun} driver hangs when the {@noun} is plugged in twice.",
    "I can reproduce this with a {@adjective} build, the trace ends in {@noun}_{@verb}().",
    "A patch for the {@noun} queue is attached below, it passes the {@plant} tests.",
    "Please do not top-post, it makes the {@noun} thread hard to follow.",
    "The {@noun} table in the manual lists {?digit:3} entries and misses {@adjective} ones.",
    "Has anybody measured {@noun} against {@noun} on a {@adjective} machine?",
    "+1 for moving the {@noun} option into the configuration file.",
    (
        "Release {?digit:1}.{?digit:2} is planned for the {second|third} week, {@first} keeps the list of "
        "open points."
    ),
    (
        "Our filter let {three|some|{?digit:1}|a few|two Canadian Pharmacy} mails through to the list last "
        "night, sorry."
    ),
    "The archive of {@plant}{@trade} is back after the disk change.",
    "I would rather see this in the {@noun} layer, see the mail of {@first} {@last}.",
    "It works here with {@noun} {?digit:1}.{?digit:1}.{?digit:1}, can you try that first?",
)

NEWS = (
    "{@plant}{@trade} opens its {@adjective} {@noun} hall to visitors on {?digit:2} {September|October}.",
    "Members vote on the {@noun} proposal until the end of the {month|quarter}.",
    "How to keep a {@noun} dry in a {@adjective} cellar: five tips from {@first} {@last}.",
    "Our reader {@first} {@last} {@verb} a {@noun} and tells how.",
    "Concert of the month: {@noun} quartet, row {?digit:2}, from {?digit:2} euros.",
    "The library of {@plant}{@trade} lends {@noun}s and {@noun}s without a fee.",
    "New in the shop: the {@adjective} {@noun} in three sizes, {?digit:2}.90.",
    "Timetable change: line {?digit:2} stops at the {@noun} bridge from Monday on.",
    "Interview: why {@first} {@last} left the city for a {@trade} and a {@noun}.",
    "Our {@noun} course starts again, {?digit:2} seats are left.",
)

NOTICES: Mapping[str, tuple[str, str]] = {
    "shipping": (
        "Your order {?digit:8} has left our warehouse",
        (
            "Dear {$reader} {@last},\n\nyour order {?digit:8} ({@adjective} {@noun}, 1 piece) was handed to "
            "the carrier.\n"
            "It should arrive within {two|three} working days. Parcel number: {?digit:12}.\n\n"
            "You can follow it at http://www.{$publisher}/parcel/{?digit:12}\n\nThank you for your order.\n"
        ),
    ),
    "statement": (
        "Your statement for {July|August|September} is ready",
        (
            "Hello {$reader},\n\na new statement is in your mailbox on our site. For safety we send no link "
            "to the "
            "sign-in page.\n\nCustomer number ends in {?digit:3}. Questions? Ring +1 555 01{?digit:2}.\n"
        ),
    ),
    "forum": (
        'New reply to "{@noun} and {@noun}"',
        (
            "{@first}{?digit:2} has answered in the subject that you watch:\n\n    I {@verb} mine with a "
            "{@noun}, "
            "that took {?digit:2} minutes.\n\nRead on: http://forum.{$publisher}/t/{?digit:5}\nStop these "
            "letters: "
            "http://forum.{$publisher}/stop/{?hex:12}\n"
        ),
    ),
}
"""Machine-made notices: subject, text."""

NEWSLETTER = (
    '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset={$charset}">\n'
    "<title>{$title}</title>\n</head>\n"
    '<body style="margin: 0; background: #f5f2ea">\n<table width="600" align="center" cellpadding="10" '
    'style="font: 14px Georgia, serif; background: #ffffff">\n'
    "<tr><td><h1>{$title}</h1><p>Dear {$reader},</p></td></tr>\n{$articles}\n"
    "<tr><td><small>You get this letter as a member of {$title}. "
    '<a href="http://www.{$publisher}/leave/{?hex:16}">Leave</a></small></td></tr>\n'
    "</table>\n</body>\n</html>\n"
)
ARTICLE = (
    "<tr><td><h3>{@adjective} {@noun}</h3><p>{$item}</p>"
    '<p><a href="http://www.{$publisher}/n/{?digit:4}">Read more</a></p></td></tr>'
)
