"""Every key of the screen: the one list that bindings, footer, palette and help are made from.

What is not in it cannot be pressed, and what is in it is documented. Whether an action applies now
is not known here: that is the screen's, which knows the run. In a blue-green switch some actions
are called otherwise (`IN_A_SWITCH`), and some do not exist.

A letter and its capital belong to one action at most: no slip of the shift key does another thing.
What a key asks before it acts is `core.status.choices.CONFIRMATIONS`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from textual.binding import Binding

from route53_takeover.core.status.choices import Act
from route53_takeover.core.status.run_words import RunKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class Where(StrEnum):
    """On which screens an action can be taken; the value is its heading in the help."""

    RUN = "While a run is shown"
    PLAN = "While a plan is shown"
    ALWAYS = "Always"
    DIALOG = "In a dialog"
    REPLAY = "While a finished run is replayed"


class Action(Struct, frozen=True, kw_only=True):
    """Something that a key does.

    Attributes:
        id: what it is called in the preferences, where its key can be changed.
        keys: Textual's names of the keys, with commas between them.
        label: a word or two, for the footer.
        tooltip: a sentence, for the help and the palette.
        acts: what it asks of a run; the first of them that applies.
        otherwise: why it does nothing where none of them applies.
    """

    id: str
    keys: str
    label: str
    tooltip: str
    where: Where
    acts: tuple[Act, ...] = ()
    otherwise: str = ""


def _run(name: str, keys: str, label: str, tooltip: str, *acts: Act, otherwise: str = "") -> Action:
    return Action(
        id=name,
        keys=keys,
        label=label,
        tooltip=tooltip,
        where=Where.RUN,
        acts=acts,
        otherwise=otherwise,
    )


def _other(where: Where, name: str, keys: str, label: str, tooltip: str) -> Action:
    return Action(id=name, keys=keys, label=label, tooltip=tooltip, where=where)


ACTIONS = (
    _run(
        "release",
        "d",
        "Delete",
        "Delete the old record: confirm the release, or do not wait for the hold",
        Act.CONFIRM_RELEASE,
        Act.RELEASE_NOW,
        otherwise="No record can be deleted now: CloudFormation is not waiting for one.",
    ),
    _run(
        "restore",
        "b",
        "Put back",
        "Put the old record back",
        Act.RESTORE,
        otherwise="There is nothing to put back: this run has left no name without a record.",
    ),
    _run(
        "extend",
        "e",
        "More time",
        "Give CloudFormation 60 s more before the record is put back",
        Act.EXTEND_DEADMAN,
        otherwise="There is no countdown to extend now.",
    ),
    _run(
        "pause",
        "p",
        "Pause",
        "Pause the run before its release, or continue it",
        Act.PAUSE,
        Act.GO_ON,
        otherwise="A run can only be paused before a release; after it, it watches to the end.",
    ),
    _run(
        "abort",
        "x",
        "Abort",
        "Abort the takeover and undo the run's changes",
        Act.ABORT,
        otherwise="A run can only be aborted before a release; after it, it watches to the end.",
    ),
    _run("interrupt", "ctrl+c", "Abort", "Copy selected text; with none selected, abort"),
    _run(
        "resume",
        "r,R",
        "Resume",
        "Resume a run whose process has died",
        otherwise="Only a run whose process has died can be resumed.",
    ),
    _run(
        "enter", "enter", "Continue", "Resume a run whose process has died, or leave one that ended"
    ),
    _run("pane-1", "1", "Stack", "Show the tree of stacks"),
    _run("pane-2", "2", "Servers", "Show the name servers' answers"),
    _run("pane-3", "3", "Deploy", "Show the deploy command's output"),
    _run("pane-4", "4", "Events", "Show the events"),
    _run("next-pane", "tab", "Next pane", "Show the next pane"),
    _other(Where.REPLAY, "play", "space", "Play", "Play or stop the replay"),
    _other(Where.REPLAY, "back", "[,left", "Back", "One event back"),
    _other(Where.REPLAY, "forward", "],right", "Forward", "One event forward"),
    _other(Where.REPLAY, "jump-back", "{", "Far back", "A tenth of the run back"),
    _other(Where.REPLAY, "jump-forward", "}", "Far forward", "A tenth of the run forward"),
    _other(Where.REPLAY, "to-start", "<", "Start", "To the start of the run"),
    _other(Where.REPLAY, "to-end", ">", "End", "To the end of the run"),
    _other(Where.REPLAY, "slower", "-", "Slower", "Play it slower"),
    _other(Where.REPLAY, "faster", "+,=", "Faster", "Play it faster"),
    _other(Where.PLAN, "start", "enter,s", "Start", "Start the run, after a question"),
    _other(Where.ALWAYS, "leave", "q,ctrl+q", "Leave", "Leave the screen; the run continues"),
    _other(Where.ALWAYS, "help", "?,f1", "Help", "All keys"),
    _other(Where.ALWAYS, "copy", "y", "Copy", "Copy selected text, or choose what to copy"),
    _other(Where.ALWAYS, "palette", "ctrl+p", "Commands", "Search the commands that apply now"),
    _other(
        Where.ALWAYS, "theme", "ctrl+t", "Theme", "Change to the next theme and save the choice"
    ),
    _other(Where.ALWAYS, "screenshot", "ctrl+s", "Picture", "Save the screen as an SVG picture"),
    _other(Where.DIALOG, "yes", "y", "Yes", "Yes, as Enter, where no name has to be typed"),
    _other(Where.DIALOG, "no", "n,escape,ctrl+c", "No", "No; nothing is done"),
)

BY_ID = {action.id: action for action in ACTIONS}


class _Called(Struct, frozen=True, kw_only=True):
    """What an action is called in another kind of run."""

    label: str
    tooltip: str
    otherwise: str = ""


IN_A_SWITCH = {
    "restore": _Called(
        label="Switch back",
        tooltip="Lead the site back to blue",
        otherwise="There is nothing to switch back: nothing leads to green, or blue is deleted.",
    ),
    "pause": _Called(
        label="Pause",
        tooltip="Pause the run before the switch, or continue it",
        otherwise="A run can only be paused before the switch; after it, it watches to the end.",
    ),
    "abort": _Called(
        label="Abort",
        tooltip="Give up the switch, while nothing is switched",
        otherwise="A run can only be aborted before the switch; after it, it can be switched back.",
    ),
    "pane-1": _Called(label="Checks", tooltip="Show what the checks got"),
    "pane-2": _Called(label="Answers", tooltip="Show which side answers users: blue or green"),
}
_ONLY_IN_A_TAKEOVER = ("release", "extend")


def _of_a_switch() -> dict[str, Action]:
    called: dict[str, Action] = {}
    for action in ACTIONS:
        words = IN_A_SWITCH.get(action.id)
        if words is not None:
            label, tooltip, otherwise = words.label, words.tooltip, words.otherwise
            called[action.id] = replace(action, label=label, tooltip=tooltip, otherwise=otherwise)
        elif action.id not in _ONLY_IN_A_TAKEOVER:
            called[action.id] = action
    return called


BY_KIND = {RunKind.TAKEOVER: BY_ID, RunKind.SWITCH: _of_a_switch()}
"""The actions of each kind of run, by id, in the order of the list."""
_LABELS = {
    Act.GO_ON: "Continue",
    Act.CONFIRM_RELEASE: "DELETE",
    Act.RELEASE_NOW: "Delete now",
}


def label_of(action: Action, act: Act | None) -> str:
    """What the footer calls it, where it would ask for this act."""
    return action.label if act is None else _LABELS.get(act, action.label)


def bindings(*places: Where) -> list[Binding]:
    """The bindings of a screen; the footer is not Textual's, so none of them is shown by it."""
    return [
        Binding(
            action.keys,
            f"take('{action.id}')",
            action.label,
            show=False,
            tooltip=action.tooltip,
            id=action.id,
        )
        for action in ACTIONS
        if action.where in places
    ]


def clashes(rebound: Mapping[str, str]) -> tuple[str, ...]:
    """Ids in it that cannot have the keys they ask for: another action has one of them.

    Actions that are never on one screen together may share a key.
    """
    lost: list[str] = []
    for name, keys in rebound.items():
        others = {
            key
            for action in ACTIONS
            if action.id != name and _meet(action, BY_ID[name])
            for key in split(rebound.get(action.id, action.keys))
        }
        if not split(keys) or others.intersection(split(keys)):
            lost.append(name)
    return tuple(lost)


def split(keys: str) -> tuple[str, ...]:
    """The single keys of a list of them."""
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def _meet(one: Action, other: Action) -> bool:
    both = {one.where, other.where}
    if len(both) == 1:
        return True
    apart = ({Where.PLAN, Where.RUN}, {Where.PLAN, Where.REPLAY})
    return Where.DIALOG not in both and both not in apart
