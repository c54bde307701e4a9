"""No hostile text stops the event loop: 1 MB takes about 0.1 s.

Every module that uses regular expressions is in `WORK` or in `OUR_OWN`; a new one fails a test.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import route53_takeover
from route53_takeover.adapters.api_settings import http_description
from route53_takeover.adapters.dns import parse_name_server
from route53_takeover.adapters.endpoint import is_aws
from route53_takeover.adapters.error_mapping import translate
from route53_takeover.base.errors import TakeoverError, UsageError
from route53_takeover.base.escaping import escape_control, plain_tail
from route53_takeover.base.redaction import redacted, remember_signature, secrets_of
from route53_takeover.base.stdio import Plain
from route53_takeover.cli import programs
from route53_takeover.core.domain.api_mappings import ApiTarget
from route53_takeover.core.domain.change_refusals import refusals_in
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.http_checks import Check, Route
from route53_takeover.core.domain.http_secrets import filled, literal_secrets, secret_values
from route53_takeover.core.domain.intrinsics import Resolver, Values, name_pattern
from route53_takeover.core.domain.names import canonical_record, canonical_zone, shown_name
from route53_takeover.core.domain.record_sets import normal_name, normal_value
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.domain.template import SUBSTITUTION
from route53_takeover.core.plan import iam_policy
from route53_takeover.core.plan.cloud_deadman import DeadmanRole
from route53_takeover.core.plan.facts import OwnedRecord
from route53_takeover.core.plan.jets.app import derive
from route53_takeover.core.retire.facts import RetireFacts, TreeResource
from route53_takeover.core.retire.hosts import Hosts
from route53_takeover.core.retire.model import FUNCTION_URL, LOAD_BALANCERS
from route53_takeover.core.retire.name_lookup import is_website
from route53_takeover.core.status import attention
from route53_takeover.core.switch.check_syntax import parse_check, shown
from route53_takeover.core.switch.origins import kind_of, target_of
from route53_takeover.output import report_markdown
from route53_takeover.process import login_scope
from route53_takeover.runtime import switch_preflight
from route53_takeover.storage import locks, run_folder
from route53_takeover.storage.config import Connection, seconds
from route53_takeover.storage.config_file import ConfigText

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, MEGABYTE = 50_000, 1_000_000
LIMIT = 0.1
"""Seconds."""
GROWTH = 50.0
"""By how much a text twenty times as long may cost more where a machine is too slow for the limit:
by the square of its length it would be 400."""

HOSTILE = [
    "\x1b]x",
    "\x1bPx",
    "\x1b[0;",
    "\x1b",
    "a",
    " ",
    "\\",
    '"',
    '\\"',
    "'",
    "=",
    "|",
    "| ",
    "|a",
    "://",
    "aa://",
    "aa://a@",
    "Credential=",
    "Signature=",
    "x-amz-signature",
    "SessionToken ",
    "SessionToken\\",
    'SecretAccessKey": ',
    "SECRET",
    "SECRET_",
    "A SECRET_FILE",
    "AKIA",
    "CREDENTIALS\t",
    "authorization: Basic ",
    "&quot;",
    "{{resolve:",
    "{{resolve:}}",
    "${",
    "${ ",
    "${a ",
    "1s",
    "1 ",
    "1",
    ".",
    "a.",
    "a-",
    "[",
    ":",
    "//",
    "vpce-a.",
    "\\052",
    "\n",
    "if a\n",
    "if a\nconfig.a = [\n",
    "config.a.",
    "config.a = b\n",
    " if ",
    ".to_s",
    "(",
    " do |a|\n",
]


def _role(text: str) -> None:
    with suppress(ValueError):
        DeadmanRole.parse("arn:aws:iam::123456789012:role/" + text)


def _raised(work: Callable[[str], object]) -> Callable[[str], None]:
    def tried(text: str) -> None:
        with suppress(UsageError):
            work(text)

    return tried


def _joined(text: str) -> object:
    """A template's name with a gap after each character; beyond some thousand it is given up."""
    parts = [part for character in text[:20_000] for part in (character, {"Ref": "Hidden"})]
    return OwnedRecord(
        stack_id="",
        logical_id="",
        name="",
        pattern=name_pattern({"Fn::Join": ["", parts]}),
    ).may_be_at(normal_name(text[:250]) + "x.")


def _jets_app(path: str, begin: str, **environment: str) -> Callable[[str], None]:
    """Derives from an app of which one file is hostile."""
    files = {
        "Gemfile.lock": "    jets (6.0.4)\n",
        "config/jets/project.rb": "",
        "config/jets/deploy.rb": "",
    }

    def tried(text: str) -> None:
        hostile = files | {path: begin + text}
        with suppress(UsageError):
            derive("/app", hostile.get, environment, stack="shop-dev")

    return tried


_CHECK = "https://www.example.com/ -b 'a=b' -H "


def _check(text: str) -> Check:
    """A check whose every part is hostile, and longer than what is read of one."""
    text = text[:SMALL]
    return Check(
        text="",
        url="https://www.example.com/?" + text.replace("[", ""),
        headers={"Cookie": text, "Authorization": "Bearer " + text},
        data=text,
    )


def _hosts(text: str, given: str = FUNCTION_URL) -> object:
    """A stack whose outputs are hostile, and a host that may be one of it."""
    stack = StackDescription(stack_id="s", stack_name="s", status="CREATE_COMPLETE")
    resources = (
        TreeResource(stack_id="s", stack_name="s", logical_id="x", physical_id="a", type=kind)
        for kind in (given, *LOAD_BALANCERS)
    )
    facts = RetireFacts(
        given="s", named=stack, root=stack, region="r", resources=tuple(resources), outputs=(text,)
    )
    return [Hosts(facts).possible_owner(begin + text) for begin in ("", "a-", "ec2-1.")]


WORK: dict[str, Callable[[str], object]] = {
    "base.redaction redacted": redacted,
    "base.redaction secrets": lambda text: secrets_of({text: "x" * 20, text + "_FILE": "x" * 20}),
    "base.redaction signature": lambda text: remember_signature({"Authorization": text}),
    "base.escaping printable": escape_control,
    "base.stdio": lambda text: Plain(StringIO()).write_styled(text),
    "base.escaping tail": lambda text: plain_tail(b"x " + text.encode(), cut=True),
    "adapters.error_mapping message": lambda text: translate(OSError(text), "sts:GetIdentity"),
    "adapters.dns server": _raised(parse_name_server),
    "process.login_scope session": login_scope._SESSION.search,
    "core.status.attention": lambda text: attention._CREDENTIALS.search(
        TakeoverError(text).message
    ),
    "core.plan.facts, core.domain.intrinsics": _joined,
    "core.domain.intrinsics references": Resolver({}, Values()),
    "core.switch.check_syntax": _raised(parse_check),
    "core.switch.check_syntax option": _raised(lambda text: parse_check(_CHECK + text)),
    "core.switch.check_syntax shown": lambda text: shown(_check(text)),
    "core.switch.origins host": lambda text: (kind_of(text), kind_of(f"a.s3-{text}")),
    "core.switch.origins target": lambda text: target_of(f"https://{text}"),
    "runtime.switch_preflight": lambda text: [
        switch_preflight._HOST_OUTPUT.fullmatch(begin + text)
        for begin in ("", "a.lambda-url.", "https://a.execute-api.a/")
    ],
    "core.domain.http_secrets secrets": lambda text: (
        literal_secrets(_check(text)),
        secret_values(_check(text), Route()),
    ),
    "core.domain.http_secrets variables": _raised(lambda text: filled(_check(text), {})),
    "core.retire.hosts": _hosts,
    "core.retire.hosts app": lambda text: _hosts(text, "AWS::Amplify::App"),
    "core.retire.hosts instance": lambda text: _hosts(text, "AWS::EC2::Instance"),
    "core.retire.name_lookup": lambda text: is_website("s3-website-" + text),
    "core.plan.iam_policy stack": lambda text: (
        iam_policy._STACK_ARN.fullmatch("arn:a:cloudformation:" + text),
        iam_policy._STACK_NAME.fullmatch(text),
    ),
    "core.domain.change_refusals": refusals_in,
    "core.domain.change_refusals named": lambda text: refusals_in(
        "RRSet of type A with DNS name " + text
    ),
    "core.domain.names record": _raised(canonical_record),
    "core.domain.names zone": _raised(canonical_zone),
    "core.domain.names shown": lambda text: shown_name("xn--" + text),
    "core.domain.record_sets TXT": lambda text: normal_value("TXT", text),
    "core.domain.record_sets CAA": lambda text: normal_value("CAA", text),
    "core.domain.record_sets number": lambda text: DesiredRecord.from_properties(
        {"Name": "x", "Type": "A", "Weight": "1" + text}
    ),
    "core.domain.template": SUBSTITUTION.findall,
    "core.plan.cloud_deadman role": _role,
    "core.plan.jets.app lock": _jets_app("Gemfile.lock", "    jets ("),
    "core.plan.jets.app name": _jets_app("config/jets/info.yml", "project_name: "),
    "core.plan.jets.files dotenv": _jets_app(
        "config/jets/env/.env", "export ", JETS_PROJECT="shop"
    ),
    "core.plan.jets.files Ruby": _jets_app("config/jets/deploy.rb", "ENV['", JETS_PROJECT="shop"),
    "core.plan.jets.ruby_config setting": _jets_app("config/jets/deploy.rb", ""),
    "core.plan.jets.ruby_config value": _jets_app(
        "config/jets/deploy.rb",
        'config.lambda.url.cloudfront.route53.enable = ENV.fetch("ROUTE53_ENABLE", "false").to_s',
    ),
    "core.plan.jets.ruby_config block": _jets_app("config/jets/bootstrap.rb", "if a do |"),
    "adapters.api_settings": lambda text: http_description(
        ApiTarget("a", "a"),
        {"CorsConfiguration": f"a/{text}"},
        None,
        authorizers=(),
        unread={},
    ),
    "adapters.endpoint": lambda text: is_aws("https://" + text),
    "output.report_markdown": lambda text: report_markdown.code("`" + text),
    "storage.run_folder": run_folder.label_of,
    "storage.locks": lambda text: locks._file_name("Z1", text),
    "cli.programs": lambda text: programs.program_of(text.rstrip("\n")),
    "storage.config duration": _raised(seconds),
    "storage.config_file": lambda text: ConfigText(Path(), text, {}).line_of("a"),
    "storage.config URL": _raised(lambda text: Connection(endpoint_url="//" + text).is_loopback),
}
OUR_OWN = re.compile(r"simulation\..*")
"""Simulated accounts: what they read is ours."""


def test_every_module_with_regular_expressions_is_tried() -> None:
    source = Path(route53_takeover.__file__).parent
    using = {
        ".".join(path.relative_to(source).with_suffix("").parts)
        for path in source.rglob("*.py")
        if re.search(r"^import re$|^from re ", path.read_text(), re.MULTILINE)
    }
    tried = {word for what in WORK for word in re.split(r"[ ,]+", what)}
    assert {name for name in using if not OUR_OWN.fullmatch(name)} <= tried


def _cost(work: Callable[[str], object], text: str) -> float:
    """Seconds of this thread's CPU, the least of some tries: a busy machine makes each longer."""
    took = float("inf")
    for _ in range(_TRIES):
        began = time.thread_time()
        work(text)
        took = min(took, time.thread_time() - began)
        if took < LIMIT:
            break
    return took


_TRIES = 6


@pytest.mark.parametrize("what", WORK)
def test_a_hostile_text_does_not_stop_the_event_loop(what: str) -> None:
    """Each unit at 50 kB, where a quadratic one takes seconds; the slowest at 1 MB."""
    work = WORK[what]
    took = {unit: _cost(work, (unit * SMALL)[:SMALL] + "\n") for unit in HOSTILE}
    slowest = max(took, key=lambda unit: took[unit])
    assert took[slowest] < LIMIT, f"{took[slowest]:.3f} s for 50 kB of {slowest!r}"
    text = (slowest * MEGABYTE)[:MEGABYTE] + "\n"
    took_whole = _cost(work, text)
    assert took_whole < max(LIMIT, GROWTH * took[slowest]), (
        f"{took_whole:.3f} s for 1 MB of {slowest!r}"
    )
