"""Simulate: shipped, seeded worlds whose whole truth is known.

    from spamtide.simulate import WORLDS, simulate
    truth = simulate("autumn-2010", Path("demo"), seed=2010)

Reads nothing but its own records; writes mbox files by sensor, lab captures by family, and the truth.
It trusts nobody and is trusted by nobody: no template, pattern or constant is shared with signatures, learner
or detectors, so that what these find has to be found in the mail. Each message carries the header
X-Spamtide-Simulated. Fails with UsageError (unknown world, a folder that is not ours) and UnavailableError
(the disk). Never sends anything.

    world.py      the records a world is made of          worlds/      the shipped worlds, as data
    creatives/    the advertisements                      kits.py      the mailers
    macro.py      the template language                   template.py  creative -> campaign template
    engine.py     kit + content -> message                letter.py    one piece of spam, from bot to sensor
    network.py    bots, providers, link hosts             place.py     trace headers of the sensors' servers
    legit.py      legitimate mail                         volume.py    expected and drawn counts
    truth.py      dated changes and counts                spool.py     files
    drawn.py      worlds that a seed draws
"""

from __future__ import annotations

from spamtide.simulate.drawn import drawn_world
from spamtide.simulate.engine import MARK
from spamtide.simulate.run import simulate, simulate_world
from spamtide.simulate.spool import Mail, mail_of, true_messages
from spamtide.simulate.truth import NEGLIGIBLE, TrueChange, Truth, true_changes
from spamtide.simulate.worlds import WORLDS

__all__ = [
    "MARK",
    "NEGLIGIBLE",
    "WORLDS",
    "Mail",
    "TrueChange",
    "Truth",
    "drawn_world",
    "mail_of",
    "simulate",
    "simulate_world",
    "true_changes",
    "true_messages",
]
