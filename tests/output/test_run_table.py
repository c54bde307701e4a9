"""The list of runs on a terminal: a run's name is copied, and is whole at every width."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from route53_takeover.core.status.run_status import ListedRun, Missing, Need, RunStatus, Standing
from route53_takeover.output.run_table import table

NOW = 1_800_000_000.0
ORDINARY = "20270115-071500-shop-production-eu-web"
LONGEST = f"20270115-071500-{'s' * 60}-2"


def _listed(name: str, *, missing: bool = False) -> ListedRun:
    gone = (Missing(name="www.example.com"),) if missing else ()
    status = RunStatus(standing=Standing.DIED, needs=Need.RESUME, missing=gone, gap=34.0)
    return ListedRun(
        name=name,
        status=status,
        began=NOW - 2700,
        stack=name[16:],
        names=("www.example.com", "api.example.com"),
    )


def _shown(run: ListedRun, width: int) -> list[str]:
    return ["".join(span.text for span in line) for line in table([run], NOW, width)]


@pytest.mark.parametrize("width", [60, 80, 84, 100, 160])
@pytest.mark.parametrize("name", ["20270115-071500-shop", ORDINARY, LONGEST])
@pytest.mark.parametrize("missing", [False, True])
def test_a_name_of_a_run_is_never_broken_and_no_line_is_too_wide(
    name: str, width: int, missing: bool
) -> None:
    lines = _shown(_listed(name, missing=missing), width)
    assert any(line.endswith(name) for line in lines)
    assert all(len(line) <= max(width, len(name)) for line in lines)
    assert ("NO RECORD" in "".join(lines)) is missing


def test_a_gap_that_no_process_watched_to_its_end_is_an_upper_limit() -> None:
    run = _listed(ORDINARY)
    unwatched = replace(run, status=replace(run.status, unwatched=2.0))
    assert "at most" not in _shown(run, 160)[1]
    assert " at most 34.0 s " in _shown(unwatched, 160)[1]


def test_the_stack_and_the_age_make_room_for_the_names_of_the_records() -> None:
    heading, row = _shown(_listed(ORDINARY), 80)
    assert heading.split() == ["STATE", "GAP", "NAMES", "RUN"]
    assert "www.example.com" in row
    assert _shown(_listed(ORDINARY), 200)[0].split() == [
        *("STATE", "AGE", "GAP", "STACK", "NAMES", "RUN")
    ]
