"""Control: which control servers are alive, as far as anybody's checks say.

Reads: lists of checks (a plain CSV, Feodo Tracker's CSV) at its edge, and checks as records.
Writes: `ControlState` a family and P(alive) a server.
Contacts: nothing, unless a person lists hosts in the settings and asks for checks; then one TCP connection
to each, opened and closed, nothing sent, with pauses between (`probe`).
Trusts: no list. Times, hosts and ports are checked row by row; a wrong file is a SettingsError with its
line, and nothing of it is taken.
"""

from __future__ import annotations

from spamtide.control.assess import REACH, Server, control_states, servers
from spamtide.control.lists import read_list
from spamtide.control.liveness import Liveness, fit
from spamtide.control.probe import Target, probe, targets

__all__ = [
    "REACH",
    "Liveness",
    "Server",
    "Target",
    "control_states",
    "fit",
    "probe",
    "read_list",
    "servers",
    "targets",
]
