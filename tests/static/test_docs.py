"""The documentation says what is true: links, help texts, permissions, and the tests it names.

``UPDATE_DOCS=1 uv run pytest tests/static/test_docs.py`` writes what the program prints into the
reference, instead of comparing the two.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import pytest
import typer.main

from route53_takeover.adapters.operation_allowlist import (
    MEASURES,
    SWITCH_READS,
    SWITCH_WRITES,
    WRITES,
)
from route53_takeover.base.errors import ExitCode
from route53_takeover.cli import app
from route53_takeover.cli.config_keys import example_text, schema_text
from route53_takeover.cli.takeover_options import Takeover
from route53_takeover.core.domain.http_secrets import literal_secrets
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch import events as switch_events
from route53_takeover.core.switch.check_syntax import parse_check
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.output.json_lines import kebab
from route53_takeover.tui.keys import ACTIONS

if TYPE_CHECKING:
    from typer.core import TyperGroup

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs/reference/command-line.md"
CONFIG = ROOT / "docs/reference/takeover-toml.md"
SCHEMA = ROOT / "docs/reference/takeover.schema.json"
TAKE_OVER = ROOT / "docs/how-to/take-over-a-record.md"
SAFETY = ROOT / "docs/explanation/why-it-is-safe.md"
SCREEN = ROOT / "docs/how-to/use-the-screen.md"
PERMISSIONS = ROOT / "docs/how-to/permissions.md"
DECISIONS = ROOT / "docs/explanation/decisions"
MAP = ROOT / "docs/explanation/architecture.md"
PICTURES = sorted((ROOT / "docs/images").iterdir())
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_OUTPUT = re.compile(
    r"^```text\n\$ route53-takeover ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def _outputs() -> dict[str, str]:
    """Command -> what the reference shows of its output."""
    return dict(_OUTPUT.findall(REFERENCE.read_text()))


def _commands() -> set[str]:
    return set(getattr(typer.main.get_command(app.app), "commands", {}))


def _section(page: Path, heading: str) -> str:
    """What stands under a heading, down to the next of its level or higher."""
    level = heading.partition(" ")[0]
    after = re.split(rf"^{re.escape(heading)}\n", page.read_text(), flags=re.MULTILINE)
    assert len(after) == 2, f"{page.name} has no single heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", after[1], flags=re.MULTILINE)[0]


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and most others make them."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)
    assert not lost


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set[Path](), {README}
    while new:
        reached |= new
        links = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in new
            for link in _LINK.findall(page.read_text())
        }
        new = {page for page in links if page.suffix == ".md"} - reached
    assert set(PAGES) <= reached


def test_decisions_are_numbered_and_the_index_has_each_by_its_title() -> None:
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == [*range(1, len(numbers) + 1)]
    titles = [record.read_text().partition("\n")[0].removeprefix("# ") for record in records]
    index = re.findall(
        r"^- \[(.*?)\]\((.*?)\)$", (DECISIONS / "README.md").read_text(), re.MULTILINE
    )
    assert index == [(title, record.name) for title, record in zip(titles, records, strict=True)]
    for record in records:
        assert re.search(r"\n\nStatus: (proposed|accepted|replaced by \d+)\n\n", record.read_text())
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert _section(record, heading).strip()


def test_the_map_has_every_package_and_names_only_what_exists() -> None:
    source = ROOT / "src/route53_takeover"
    named = set(re.findall(r"`([\w/]+(?:\.py|/)|docs/[\w/-]+\.md)`", MAP.read_text()))
    assert [path for path in named if not any((at / path).exists() for at in (source, ROOT))] == []
    folders = [source, source / "core"]
    packages = {path.parent for folder in folders for path in folder.glob("*/__init__.py")}
    assert {f"{package.relative_to(source)}/" for package in packages} <= named


def test_every_command_is_documented_with_its_help() -> None:
    outputs = _outputs()
    for command in _commands():
        assert f"{command} --help" in outputs
        assert f"$ route53-takeover {command} --help" in _section(REFERENCE, f"## {command}")
    shown = {command.removesuffix(" --help") for command in outputs if command.endswith(" --help")}
    assert shown == _commands()
    assert "--help" in outputs


@pytest.mark.parametrize("command", sorted(_outputs()))
def test_what_the_reference_shows_is_what_the_program_prints(command: str) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTE53_TAKEOVER_", "AWS_"))}
    done = subprocess.run(
        [Path(sys.executable).parent / "route53-takeover", *command.split()],
        env=kept | {"COLUMNS": "100", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
    )
    if os.environ.get("UPDATE_DOCS"):
        shown = f"$ route53-takeover {command}\n{_outputs()[command]}"
        fresh = f"$ route53-takeover {command}\n{done.stdout.rstrip()}\n"
        REFERENCE.write_text(REFERENCE.read_text().replace(shown, fresh))
    assert _outputs()[command].rstrip() == done.stdout.rstrip()


def test_the_schema_and_the_page_of_takeover_toml_are_those_of_the_options() -> None:
    program = cast("TyperGroup", typer.main.get_command(app.app))
    block = re.compile(r"(?<=^```toml\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
    if os.environ.get("UPDATE_DOCS"):
        SCHEMA.write_text(schema_text(program))
        CONFIG.write_text(block.sub(lambda _: example_text(program), CONFIG.read_text()))
    assert SCHEMA.read_text() == schema_text(program)
    assert block.findall(CONFIG.read_text()) == [example_text(program)]


def test_the_options_for_each_tool_are_options_of_the_program() -> None:
    table = _section(TAKE_OVER, "## 3. Show the plan what will be deployed")
    tools = re.findall(r"^\| (\w[\w ]+) \| (.*--(?:preview|template) .*) \|$", table, re.MULTILINE)
    assert [tool for tool, _ in tools] == ["AWS CLI", "SAM CLI", "boto3", "AWS CDK"]
    plan = getattr(typer.main.get_command(app.app), "commands", {})["plan"]
    for _, cell in tools:
        for line in re.findall(r"`(--(?:preview|template) [^`]+)`", cell):
            words = ["--stack=shop", "--deploy=make", *shlex.split(line)]
            given = plan.make_context("plan", words).params
            names = {field.name for field in fields(Takeover)}
            made = Takeover(**{name: given[name] for name in names}).options()
            assert made.has_pending_template, line


def test_the_reference_names_every_event_phase_and_outcome() -> None:
    tags = {kebab(event.__name__) for event in get_args(ev.AnyEvent)}
    silent = {kebab(event.__name__) for event in (ev.TimePassed,)}
    lines = _section(REFERENCE, "## JSON lines")
    listed = next(line for line in lines.splitlines() if line.startswith("`event` is one of"))
    assert set(re.findall(r"`([a-z-]+)`", listed)) - {"event"} == tags - silent
    phases = re.findall(r"^\| `([a-z-]+)` \|", _section(REFERENCE, "## Phases"), re.MULTILINE)
    assert phases == sorted(map(str, Phase), key=phases.index)
    assert set(phases) == set(map(str, Phase))
    outcomes = next(line for line in lines.splitlines() if line.startswith("- `outcome` of a run"))
    assert set(re.findall(r"`(\w+)`", outcomes)) - {"outcome"} == set(map(str, Outcome))


def test_the_reference_names_every_event_phase_and_kind_of_a_switch() -> None:
    events = _section(REFERENCE, "### Events of a switch")
    listed = events.partition("`event` one of ")[2].partition(";")[0]
    tags = {kebab(event.__name__) for event in get_args(switch_events.SwitchEvent)}
    assert set(re.findall(r"`([a-z-]+)`", listed)) == tags - {kebab(ev.TimePassed.__name__)}
    rows = _section(REFERENCE, "### Phases of a switch")
    assert re.findall(r"^\| `([a-z-]+)` \|", rows, re.MULTILINE) == list(map(str, SwitchPhase))
    for word in (*SwapKind, *switch_events.SwapPurpose, *switch_events.Way):
        assert f"`{word}`" in events


def test_the_texts_of_checks_in_the_documentation_are_checks() -> None:
    """Each can be read, and none would be refused for a secret in it."""
    written = [
        found
        for page in PAGES
        for found in re.findall(r"--check '([^'\n]+)'", page.read_text())
        if found != "..."
    ]
    assert written
    for text in written:
        assert literal_secrets(parse_check(text)) == (), text


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_the_table_of_exit_codes_is_complete(page: Path) -> None:
    codes = re.findall(r"^\| (\d+) \|", _section(page, "## Exit codes"), re.MULTILINE)
    assert [int(code) for code in codes] == sorted(ExitCode)


def _called() -> set[str]:
    """The operations that the adapters call, in the SDK's names: ``apigatewayv2:GetApis``."""
    services = "route53|cloudformation|apigateway|apigatewayv2|cloudfront|cloudtrail"
    adapters = "".join(
        path.read_text() for path in (ROOT / "src/route53_takeover/adapters").glob("*.py")
    )
    return set(re.findall(rf'\.(?:reading|writing|_listed)\(\s*"((?:{services}):\w+)"', adapters))


_METHODS = {"Get": "GET", "Create": "POST", "Update": "PATCH", "Delete": "DELETE"}


def _iam_action(operation: str) -> str:
    """The IAM action of an operation: of API Gateway a method, save for routing rules."""
    service, _, name = operation.partition(":")
    if not service.startswith("apigateway"):
        return operation
    if "RoutingRule" in name:
        return f"apigateway:{name}"
    return f"apigateway:{next(m for word, m in _METHODS.items() if name.startswith(word))}"


def _policies(heading: str) -> list[dict[str, dict[str, Any]]]:
    """The statements of each policy under a heading of the permissions page, by ``Sid``."""
    blocks = re.findall(
        r"^```json\n(.*?)^```$", _section(PERMISSIONS, heading), re.MULTILINE | re.DOTALL
    )
    return [{each["Sid"]: each for each in json.loads(block)["Statement"]} for block in blocks]


def _actions(*statements: dict[str, Any]) -> set[str]:
    """The actions of these statements."""
    found = set[str]()
    for statement in statements:
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


def test_the_permissions_page_asks_for_exactly_the_permissions_that_are_used() -> None:
    takeover, *_ = _policies("# Permissions")
    looking, deleting = _policies("## For `retire`")
    called = {each for each in _called() if not each.startswith(("apigateway", "cloudfront"))}
    (measuring,) = _policies("## For `rehearse --live`")
    asked = _actions(*takeover.values(), *looking.values())
    asked = {each for each in asked if each.startswith(("route53:", "cloudformation:"))}
    measured = _actions(*measuring.values())
    assert asked | _actions(deleting["DeleteTheStack"]) | measured == called
    assert {each.replace("route53:", "route-53:").replace(":", ".") for each in measured} == (
        MEASURES | WRITES
    )
    reading, writing = takeover["OnlyReading"], takeover["TheRecord"]
    assert "cloudformation:DeleteChangeSet" not in reading["Action"]
    assert "cloudformation:DeleteStack" not in asked
    assert writing["Action"] == "route53:ChangeResourceRecordSets"
    conditions: dict[str, Any] = writing["Condition"]["ForAllValues:StringEquals"]
    assert conditions["route53:ChangeResourceRecordSetsActions"] == ["CREATE", "DELETE"]


def test_the_permissions_page_asks_for_what_a_switch_and_its_retirement_call() -> None:
    called = {each for each in _called() if each.startswith(("apigateway", "cloudfront:"))}
    domain, distribution = _policies("## For `switch`")
    asked = _actions(*domain.values(), *distribution.values())
    of_stacks = _actions(domain["ReadGreenStack"])
    assert asked - of_stacks == {_iam_action(each) for each in called}
    allowed = {
        each.replace("api-gateway.", "apigateway:").replace(".", ":")
        for each in SWITCH_READS | SWITCH_WRITES
    }
    assert called <= allowed
    writes = {
        _iam_action(each.replace("api-gateway.", "apigateway:").replace(".", ":"))
        for each in SWITCH_WRITES
    }
    changing = ("SwitchMappings", "TestByRoutingRule")
    asked = _actions(distribution["SwitchOrigin"], *(domain[sid] for sid in changing))
    assert asked - {"cloudfront:GetInvalidation", "apigateway:ListRoutingRules"} == writes
    looking, deleting = _policies("## For `retire`")
    assert {each for each in _actions(*looking.values()) if each.startswith("apigateway")} == {
        _iam_action(each)
        for each in called
        if each.startswith("apigateway") and each.partition(":")[2].startswith(("Get", "List"))
    }
    assert _actions(deleting["PutBackMappings"]) == {
        each for each in writes if each.startswith("apigateway:P")
    }


def test_the_readme_lists_what_the_gate_runs() -> None:
    script = (ROOT / ".ci/run").read_text().splitlines()
    commands = [line for line in script if line and not line.startswith(("#", "set ", "cd "))]
    assert commands
    assert [line for line in commands if line not in README.read_text()] == []


@cache
def _tests(path: str) -> frozenset[str]:
    """The names of the tests in a file, which is read and not run."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ) | frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def test_every_test_that_the_safety_page_names_exists() -> None:
    named = _TEST.findall(SAFETY.read_text())
    assert named
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists() or test not in _tests(path)
    ]
    assert not missing


@pytest.mark.parametrize("number", range(1, 11))
def test_every_safety_rule_names_a_test_that_holds_it(number: int) -> None:
    text = SAFETY.read_text()
    headings = re.findall(rf"^## {number}\. .*$", text, re.MULTILINE)
    assert len(headings) == 1
    assert _TEST.findall(_section(SAFETY, headings[0]))


def test_the_pictures_are_what_the_screen_draws_now() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/screenshots.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), (
        f"look at them after: uv run scripts/screenshots.py\n{done.stderr}"
    )


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_picture_is_shown_and_loads_nothing_from_elsewhere(picture: Path) -> None:
    shown = {
        (page.parent / link).resolve() for page in PAGES for link in _LINK.findall(page.read_text())
    }
    assert picture in shown
    loaded = re.findall(r"""url\(["']?(?!#)|@import|href=|<script|<image""", picture.read_text())
    assert not loaded


def test_every_key_of_the_screen_is_documented() -> None:
    rows = re.findall(r"^\| (`.+?`) \| `([\w-]+)` \| \S", _section(SCREEN, "## Keys"), re.MULTILINE)
    reported = {name: ",".join(re.findall(r"`(.+?)`", keys)) for keys, name in rows}
    assert reported == {action.id: action.keys for action in ACTIONS}
    assert len(rows) == len(ACTIONS)
