"""Series: from daily counts by sensor to an index that sensors joining and leaving do not move.

Reads a `Panel`; writes a `Measurement` (exposure, outages, index series) and `Contribution`s. Pure arrays,
no I/O, no random numbers. Trusts that counts are counts; estimates everything else (which sensor was up,
which changed) from them. Fails by saying less: NaN where no sensor was up or no overlap carries the index
across, an empty decomposition where a period has no index; `SettingsError` for a base that is no date.
"""

from spamtide.series.decompose import decompose
from spamtide.series.evening import is_over, without_last_day
from spamtide.series.exposure import estimate
from spamtide.series.fitting.loglinear import Fit, fit
from spamtide.series.hourly import measure_hours
from spamtide.series.index import beside, measure

__all__ = [
    "Fit",
    "beside",
    "decompose",
    "estimate",
    "fit",
    "is_over",
    "measure",
    "measure_hours",
    "without_last_day",
]
