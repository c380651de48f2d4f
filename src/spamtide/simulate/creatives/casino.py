"""Creatives for Grand Harbour Casino, a brand that is invented for the simulator."""

from __future__ import annotations

from spamtide.simulate.world import Creative

BRAND = "Grand Harbour Casino"

CREATIVES: tuple[Creative, ...] = (
    Creative(
        "gh-welcome",
        BRAND,
        subject="${?digit:1}00 {welcome|starting} {money|bonus} for {$local}",
        lines=(
            "{@casino} puts ${?digit:1}00 on the table before you sit down.",
            "{Blackjack|Roulette}, forty reels and a quiet poker room are open round the clock.",
            "Winnings are paid {within a day|by the next morning}, to the card or to the door.",
        ),
        call="Take a seat",
        layout="banner",
        path="seat/{?digit:6}",
    ),
    Creative(
        "gh-friday",
        BRAND,
        subject="Friday {tables|jackpot}: {?digit:2},{?digit:3} in the pot",
        lines=(
            "Each Friday the harbour bell rings and {@casino} opens the big pot.",
            "Last week {@first} from {a small town|the coast} rang it with her third spin.",
            "Sixty free spins are kept under your name until {midnight|Saturday}.",
            "Download the client, type the number {?digit:6}, and play.",
        ),
        call="Ring the bell",
        layout="imitation",
        path="bell.php?n={?digit:6}",
        buster="hidden",
    ),
    Creative(
        "gh-cards",
        BRAND,
        subject="your {cards|chips} are {dealt|waiting}",
        lines=(
            "a hand has been dealt for {$local} at {@casino}.",
            "turn it over within {two|three} days and the first bet is {ours|on the house}.",
            "no deposit, no card number, only a name that you like.",
        ),
        call="turn the hand over",
        path="hand/{?hex:8}",
        buster="words",
    ),
    Creative(
        "gh-vip",
        BRAND,
        subject="VIP {lounge|room} {pass|key} {?ALNUM:5}",
        lines=(
            "The lounge of {@casino} has {nine|eleven} chairs and one of them is free.",
            "Pass {?ALNUM:5} opens the door, doubles the first three deposits and tells no one.",
            "High tables start at ${$dollars}, and the barman remembers your drink.",
        ),
        call="Open the lounge",
        layout="image",
        path="grandharbour/vip{?digit:2}",
    ),
    Creative(
        "gh-rules",
        BRAND,
        subject="{Seven|Five} rules that {the house|a dealer} will not print",
        lines=(
            "A retired dealer wrote down what he saw, and {@casino} dared to publish it.",
            "Rule one: never leave a table that pays. Rule two: never bring your own {money|coins}.",
            "The other rules are read aloud to every new guest, together with a gift of ${$dollars}.",
        ),
        call="Hear the rules",
        path="rules/{?digit:1}",
        buster="story",
    ),
    Creative(
        "gh-regatta",
        BRAND,
        subject="{Regatta|Harbour} tournament, seat {?digit:3}",
        lines=(
            "Seat {?digit:3} of the regatta tournament is reserved for {$address}.",
            "{@casino} shares ${?digit:2},000 among the first {forty|fifty} boats over the line.",
            "Entry is free for players who arrive through this letter.",
            "Practise on the small reels first; they pay in real {coins|money} too.",
        ),
        rows=("First boat, ${?digit:1}0,000", "Second boat, ${?digit:1},000", "Tenth boat, ${$dollars}"),
        call="Board the boat",
        layout="prices",
        path="regatta?s={?digit:3}",
    ),
    Creative(
        "gh-return",
        BRAND,
        subject="We {miss|missed} you at the {table|harbour}",
        lines=(
            "Your chair has been empty for {?digit:2} days.",
            (
                "{@casino} filled your account with {?digit:2} free spins so that the {evening|night} starts "
                "well."
            ),
            "They are gone when the next guest asks for the chair.",
        ),
        call="Back to the table",
        layout="note",
        path="back/{?alnum:5}.html",
        buster="code",
    ),
    Creative(
        "gh-numbers",
        BRAND,
        subject="{Numbers|Lucky numbers} for {@first}: {?digit:2} {?digit:2} {?digit:2}",
        lines=(
            "The wheel at {@casino} stopped {twice|three times} on {?digit:2} last night.",
            (
                "Will it do so again? The croupier does not {know|say}, and your first ${$dollars} are not "
                "yours."
            ),
            "Place it on red, on black, or on the captain's number.",
        ),
        call="Spin the wheel",
        layout="banner",
        path="wheel/{?digit:2}/{?digit:2}",
        buster="hidden",
    ),
)
