"""The Amazon States Language, as far as the deadman in AWS uses it, on the account's timeline.

Built are Wait, Task, Pass, Choice and Succeed, JSONPath, ``States.MathAdd``, Retry and Catch.
Anything else fails the execution with ``States.Runtime``, so that a definition which needs more is
noticed.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from route53_takeover.simulation.aws.timeline import Schedule

_MATH = re.compile(r"States\.MathAdd\((\$\.[\w.]+), (-?\d+)\)")


class TaskError(Exception):
    """A state failed: the error's name, and its cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Walk:
    """One execution's way through its state machine.

    Args:
        task: carries a task out: its resource and parameters; raises `TaskError`.
        ended: is told the last state's output, or the error, once.
        goes_on: whether the execution still runs; asked before every state.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        timeline: Schedule,
        task: Callable[[str, Any], Any],
        *,
        ended: Callable[[TaskError | None], None],
        goes_on: Callable[[], bool],
    ) -> None:
        self._states: Mapping[str, Any] = definition["States"]
        self._first: str = definition["StartAt"]
        self._timeline = timeline
        self._task = task
        self._ended = ended
        self._goes_on = goes_on

    def begin(self, given: Any) -> None:  # noqa: ANN401 -- any JSON
        self._enter(self._first, given, {})

    def _enter(self, name: str | None, data: Any, retried: dict[int, int]) -> None:  # noqa: ANN401
        if not self._goes_on():
            return
        if name is None:
            self._ended(None)
            return
        try:
            self._carry_out(self._states[name], name, data, retried)
        except TaskError as error:
            self._ended(error)

    def _carry_out(
        self,
        state: Mapping[str, Any],
        name: str,
        data: Any,  # noqa: ANN401
        retried: dict[int, int],
    ) -> None:
        following = state.get("Next")
        match state["Type"]:
            case "Wait":
                seconds = state.get("Seconds")
                if seconds is None:
                    seconds = at_path(state["SecondsPath"], data)
                self._later(seconds, following, data)
            case "Pass":
                found = filled(state["Parameters"], data)
                self._later(0.0, following, _with(data, state.get("ResultPath"), found))
            case "Choice":
                chosen = next(
                    (
                        rule["Next"]
                        for rule in state["Choices"]
                        if at_path(rule["Variable"], data) > rule["NumericGreaterThan"]
                    ),
                    state["Default"],
                )
                self._later(0.0, chosen, data)
            case "Task":
                self._try(state, name, data, retried)
            case "Succeed":
                self._ended(None)
            case other:
                raise TaskError("States.Runtime", f"{other} is not part of the simulated account")

    def _try(
        self,
        state: Mapping[str, Any],
        name: str,
        data: Any,  # noqa: ANN401
        retried: dict[int, int],
    ) -> None:
        try:
            found = self._task(state["Resource"], filled(state["Parameters"], data))
        except TaskError as error:
            for at, rule in enumerate(state.get("Retry", ())):
                times = retried.get(at, 0)
                if _is_for(rule, error) and times < rule["MaxAttempts"]:
                    pause = rule["IntervalSeconds"] * rule["BackoffRate"] ** times
                    again = partial(self._enter, name, data, {**retried, at: times + 1})
                    self._timeline.after(pause, again)
                    return
            for rule in state.get("Catch", ()):
                if _is_for(rule, error):
                    output = {"Error": error.error, "Cause": error.cause}
                    caught = _with(data, rule.get("ResultPath"), output)
                    self._later(0.0, rule["Next"], caught)
                    return
            raise
        self._later(0.0, state.get("Next"), found)

    def _later(self, seconds: float, name: str | None, data: Any) -> None:  # noqa: ANN401
        self._timeline.after(seconds, lambda: self._enter(name, data, {}))


def at_path(path: str, data: Any) -> Any:  # noqa: ANN401 -- any JSON
    """What a JSONPath such as ``$.tries.left`` leads to.

    Raises:
        TaskError: there is nothing.
    """
    try:
        for key in path.removeprefix("$").split(".")[1:]:
            data = data[key]
    except (KeyError, TypeError):
        raise TaskError("States.Runtime", f"{path} is not in the input") from None
    return data


def filled(template: Any, data: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Parameters with their paths replaced by what these lead to."""
    if isinstance(template, list):
        return [filled(item, data) for item in template]
    if not isinstance(template, dict):
        return template
    found = {}
    for key, value in template.items():
        if not key.endswith(".$"):
            found[key] = filled(value, data)
        elif math := _MATH.fullmatch(value):
            found[key.removesuffix(".$")] = at_path(math[1], data) + int(math[2])
        else:
            found[key.removesuffix(".$")] = at_path(value, data)
    return found


def _with(data: Any, path: str | None, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """The data with the value at a path of one key; the value itself where there is no path."""
    return value if path is None else {**data, path.removeprefix("$."): value}


def _is_for(rule: Mapping[str, Any], error: TaskError) -> bool:
    return bool({error.error, "States.ALL"} & {*rule["ErrorEquals"]})


def parsed(text: str) -> Any:  # noqa: ANN401 -- any JSON
    """The JSON of a definition or an input.

    Raises:
        TaskError: it is none.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise TaskError("States.Runtime", str(error)) from error
