"""Simulated caching resolvers: what they cache, and whom a gap reaches."""

from __future__ import annotations

from random import Random

import pytest

from route53_takeover.simulation.resolvers import Asked, ask_resolvers


def asked(*servers: list[tuple[float, float]], negative_ttl: float = 900.0) -> Asked:
    rng = Random(7)  # noqa: S311 -- a simulation
    return ask_resolvers(servers, resolvers=20_000, ttl=60.0, negative_ttl=negative_ttl, rng=rng)


def test_without_a_gap_every_question_is_answered() -> None:
    assert asked([], []) == Asked(20_000, 0, 0.0)


def test_a_gap_as_long_as_the_ttl_reaches_every_resolver() -> None:
    assert asked([(100.0, 161.5)]).affected == pytest.approx(20_000, rel=0.01)


def test_a_short_gap_reaches_those_whose_answer_runs_out_in_it() -> None:
    told = asked([(100.0, 106.0)])
    assert told.affected / told.resolvers == pytest.approx(0.1, rel=0.05)
    assert told.unanswered / told.affected == pytest.approx(900.0, rel=0.01)


def test_an_absence_is_fetched_again_until_the_gap_is_over() -> None:
    told = asked([(100.0, 106.0)], negative_ttl=4.0)
    # One fetch in the last 4 s of the gap costs 4 s, one in the 2 s before costs 8 s.
    assert told.unanswered / told.affected == pytest.approx(4 * 2 / 3 + 8 / 3 + 0.3, rel=0.05)


def test_of_two_gaps_a_resolver_may_meet_either() -> None:
    told = asked([(100.0, 103.0), (200.0, 203.0)], negative_ttl=1.0)
    assert told.affected / told.resolvers == pytest.approx(0.1, rel=0.06)


def test_a_name_server_that_always_answers_halves_what_a_gap_reaches() -> None:
    told = asked([(100.0, 106.0)], [])
    assert told.affected / told.resolvers == pytest.approx(0.05, rel=0.08)
