"""From mail that bots sent in the lab to rules that a person reads: skeletons, templates, what is enclosed.

Reads renderings of lab mail and of other mail beside it; writes learned rules with what they hit on mail that
was kept back. The same mail gives the same rules in any order.
"""

from spamtide.attribution.learning.learn import Learned, learn

__all__ = ["Learned", "learn"]
