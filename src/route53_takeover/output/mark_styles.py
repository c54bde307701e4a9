"""The colours of text on a terminal. Each stands beside a word or a sign that says the same."""

from __future__ import annotations

from route53_takeover.base.stdio import BOLD, GREEN, RED, YELLOW
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.snapshot import Mark

MARK_STYLES = {Mark.FAILED: RED, Mark.UNKNOWN: YELLOW}
"""Of lines about what happened."""
OUTCOME_STYLES = {
    Outcome.DONE: GREEN,
    Outcome.RESTORED: BOLD,
    Outcome.ABORTED: BOLD,
    Outcome.FAILED: RED,
    Outcome.REFUSED: RED,
    Outcome.UNKNOWN: RED,
}
