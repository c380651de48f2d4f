"""Rules and rows by which answers from evidence are tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

Rows = list[dict[str, Any]]
AsTable = Callable[[Rows], pa.Table]
Ask = Callable[..., Rows]
DAY = dt.datetime(2010, 9, 1, 12, tzinfo=dt.UTC)

RULES = """
rule strong_a { meta: kind = "botnet" name = "alpha" confidence = 97 condition: false }
rule strong_b { meta: kind = "botnet" name = "beta" confidence = 97 condition: false }
rule weak_a { meta: kind = "botnet" name = "alpha" confidence = 80 condition: false }
rule vague_a { meta: kind = "botnet" name = "alpha" confidence = 40 condition: false }
rule kit { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 97 shared_with = "beta"
           condition: false }
rule engine_a { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 99 condition: false }
rule engine_c { meta: kind = "botnet" name = "gamma" layer = "skeleton" confidence = 99
                family_missed = "1 of 99" near = "fold 97 % (0 of 99); message_id 60 % (9 of 99)"
                condition: false }
rule engine_c_other_template { meta: kind = "botnet" name = "gamma" layer = "skeleton" confidence = 0
                               unlike = "engine_c" unlike_lab = "0 of 5 templates" condition: false }
rule text_c { meta: kind = "botnet" name = "gamma" layer = "template" confidence = 99 condition: false }
rule doubted_a { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 60 condition: false }
rule doubt { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 0 unlike = "doubted_a"
             unlike_lab = "0 of 9 machines" condition: false }
rule dated_a { meta: kind = "botnet" name = "alpha" confidence = 97 valid_from = "2010-01-01"
               expires = "2010-12-31" condition: false }
rule anybodys_d { meta: kind = "botnet" name = "delta" layer = "skeleton" confidence = 40
                  family_missed = "0 of 99" condition: false }
rule text_d { meta: kind = "botnet" name = "delta" layer = "template" confidence = 99 condition: false }
rule brand_x { meta: kind = "programme" name = "Maple Meds" condition: false }
rule brand_y { meta: kind = "programme" name = "Birch Watches" condition: false }
rule both { meta: kind = "botnet" name = "alpha" confidence = 97 shared_with = "beta" condition: false }
rule pushdo { meta: kind = "botnet" name = "Pushdo" confidence = 97 condition: false }
"""
