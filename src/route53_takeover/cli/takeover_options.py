"""The options that say what is taken over and how: declared once for `plan`, `policy`, `run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.option_types import OwnersIn, Strategy
from route53_takeover.cli.options import PREFIX, OwnerCheckOption, option

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Options


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """What is taken over, and how."""

    stack: Annotated[
        str | None,
        option(
            "--stack",
            callback=types.not_empty,
            help="Name or ARN of the stack.",
            metavar="NAME|ARN",
        ),
    ] = None
    record: Annotated[
        list[str] | None,
        option(
            "--record",
            parser=types.record,
            help="Record to take over; may be repeated. Without it: every existing record that "
            "the pending template creates.",
            metavar="NAME[/TYPE[,TYPE]]",
        ),
    ] = None
    template: Annotated[
        str | None,
        option(
            "--template",
            callback=types.not_empty,
            help="Template that the deploy with the switch on will apply; nested ones beside it.",
            metavar="FILE",
        ),
    ] = None
    parameter: Annotated[
        list[str] | None,
        option(
            "--parameter",
            parser=types.parameter,
            help="Parameter of that template; may be repeated.",
            metavar="KEY=VALUE",
        ),
    ] = None
    preview: Annotated[
        str | None,
        option(
            "--preview",
            callback=types.not_empty,
            help="Command that creates a change set and does not execute it; run once, with "
            "ROUTE53_ENABLE=true. The change set is read and deleted.",
            metavar="CMD",
        ),
    ] = None
    accept_loss: Annotated[
        bool,
        option(
            "--accept-loss",
            help="Accept that values of TXT, MX, CAA, ... which the stack's record lacks are lost.",
        ),
    ] = False
    zone: Annotated[
        str | None,
        option(
            "--zone", parser=types.zone, help="Hosted zone that has the records.", metavar="ID|NAME"
        ),
    ] = None
    deploy: Annotated[
        str | None,
        option(
            "--deploy",
            help="Deploy command; run twice, with ROUTE53_ENABLE=false, then true.",
            metavar="CMD",
        ),
    ] = None
    deploy_off: Annotated[
        str | None,
        option("--deploy-off", help="Deploy command with the switch off.", metavar="CMD"),
    ] = None
    deploy_on: Annotated[
        str | None,
        option("--deploy-on", help="Deploy command with the switch on.", metavar="CMD"),
    ] = None
    jets: Annotated[
        Path | None,
        option(
            "--jets",
            help="Ruby on Jets app; stack, deploy command and --settle are derived from it.",
            metavar="DIR",
        ),
    ] = None
    no_deploy: Annotated[
        bool,
        option(
            "--no-deploy", help="Run no deploy command: act on a deploy that is started elsewhere."
        ),
    ] = False
    skip_off: Annotated[bool, option("--skip-off", help="Skip the deploy with the switch off.")] = (
        False
    )
    strategy: Annotated[
        Strategy | None,
        option(
            "--strategy",
            help="How the stack gets the record (delete). adopt, bridge and weighted have no gap; "
            "auto takes the best that is possible.",
        ),
    ] = None
    weights: Annotated[
        str | None,
        option(
            "--weights",
            parser=types.weights,
            metavar="PERCENT,...,100",
            help="With --strategy weighted: the stack's share of the answers, step by step, once "
            "the stack is complete.",
        ),
    ] = None
    weight_every: Annotated[
        float,
        option(
            "--weight-every",
            parser=types.duration,
            metavar="DURATION",
            help="Time between these steps.",
        ),
    ] = 300.0
    ttl: Annotated[
        str,
        option(
            "--ttl",
            parser=types.ttl,
            help="Lower TTLs to this first; keep: do not change them.",
            metavar="SECONDS|keep",
        ),
    ] = "60"
    negative_ttl: Annotated[
        int | None,
        option(
            "--negative-ttl",
            parser=types.negative_ttl,
            metavar="SECONDS",
            help="Lower the TTL and minimum of the zone's SOA to this for the run: so long "
            'resolvers cache "no such name".',
        ),
    ] = None
    no_drain: Annotated[
        bool, option("--no-drain", help="Do not wait until the old TTL has expired.")
    ] = False
    hold: Annotated[
        float | None,
        option(
            "--hold",
            parser=types.duration,
            metavar="DURATION",
            help="Minimum time in CREATE_IN_PROGRESS before the record is deleted (2s for "
            "aliases, else 10s).",
        ),
    ] = None
    restore_after: Annotated[
        float | None,
        option(
            "--restore-after",
            parser=types.duration,
            metavar="DURATION",
            help="Restore the record if there is no new one after this time (60s to 5m).",
        ),
    ] = None
    deploy_timeout: Annotated[
        float | None,
        option(
            "--deploy-timeout",
            parser=types.duration,
            metavar="DURATION",
            help="Time limit of a deploy command (2h).",
        ),
    ] = None
    settle: Annotated[
        float | None,
        option(
            "--settle",
            parser=types.duration,
            metavar="DURATION",
            help="Time without stack events before the run is done (5s; 60s with --no-deploy, "
            "5m with --jets).",
        ),
    ] = None
    expected_gap: Annotated[
        float | None,
        option(
            "--expected-gap",
            parser=types.duration,
            metavar="DURATION",
            help="Time from a DELETE to CloudFormation's next try, for the forecast only (5s).",
        ),
    ] = None
    confirm_release: Annotated[
        bool,
        option(
            "--confirm-release",
            help="Wait for your confirmation before the record is deleted; not with --auto.",
        ),
    ] = False
    owner_check: OwnerCheckOption = OwnersIn.FULL
    no_probe: Annotated[bool, option("--no-probe", help="Do not query the name servers.")] = False

    def options(self) -> Options:
        """What a plan is made from.

        Raises:
            UsageError: options contradict each other, or one is missing.
        """
        from msgspec import convert

        from route53_takeover.core.plan.model import Options
        from route53_takeover.core.timing import EXPECTED_GAP

        self._check_pending()
        if self.weights and self.strategy not in (Strategy.WEIGHTED, Strategy.AUTO):
            raise UsageError("--weights belongs to --strategy weighted", "Add it, or leave it out.")
        if self.jets is not None:
            from route53_takeover.cli.jets import options_of

            return options_of(self, self.jets)
        if self.stack is None:
            raise UsageError(
                "no stack is given", "Give --stack NAME, or --jets DIR for a Ruby on Jets app."
            )
        self._check_deploy()
        if self.restore_after is not None and self.restore_after < _SHORTEST_DEADMAN:
            raise UsageError(
                f"--restore-after {self.restore_after:g} would restore the record before "
                "CloudFormation can try again",
                "Use a longer time, or leave it out.",
            )
        off, on = self.deploy_off or self.deploy, self.deploy_on or self.deploy
        derived = {
            "records": self.record or (),
            "parameters": self.parameter or (),
            "deploy_off": None if self.no_deploy or self.skip_off else off,
            "deploy_on": None if self.no_deploy else on,
            "strategy": self.strategy or Strategy.DELETE,
            "strategy_given": self.strategy is not None,
            "weights": tuple(int(share) for share in (self.weights or "").split(",") if share),
            "ttl": None if self.ttl == "keep" else int(self.ttl),
            "drain": not self.no_drain,
            "settle": (60.0 if self.no_deploy else 5.0) if self.settle is None else self.settle,
            "deploy_timeout": 7200.0 if self.deploy_timeout is None else self.deploy_timeout,
            "probe": not self.no_probe,
            "expected_gap": EXPECTED_GAP if self.expected_gap is None else self.expected_gap,
        }
        return convert({**vars(self), **derived}, Options)

    def _check_pending(self) -> None:
        if self.template is not None and self.preview is not None:
            raise UsageError(
                "--template and --preview both give the pending template",
                f"Give one of them{_ELSEWHERE}.",
            )
        if self.parameter and self.template is None:
            raise UsageError(
                "--parameter belongs to --template", "A preview's command gives its own."
            )
        if not self.record and self.template is None and self.preview is None:
            raise UsageError(
                "no record is given",
                "Use --record NAME[/TYPE], or --template or --preview to take every conflicting "
                "record.",
            )

    def _check_deploy(self) -> None:
        both, off, on = self.deploy, self.deploy_off, self.deploy_on
        if not self.no_deploy and not both and not on:
            raise UsageError(
                "no deploy command is given",
                "Give --deploy CMD, or --deploy-off CMD --deploy-on CMD, or --jets DIR, or "
                "--no-deploy.",
            )
        if self.no_deploy and (both or off or on):
            raise UsageError(
                "--no-deploy and a deploy command contradict each other",
                f"Leave one out{_ELSEWHERE}.",
            )
        if both and (off or on):
            raise UsageError(
                "--deploy stands for both of --deploy-off and --deploy-on",
                f"Give either --deploy or the other two{_ELSEWHERE}.",
            )
        if self.skip_off and off:
            raise UsageError(
                "--skip-off and --deploy-off contradict each other", f"Leave one out{_ELSEWHERE}."
            )
        if not self.no_deploy and not self.skip_off and not both and not off:
            raise UsageError(
                "no command for the deploy with the switch off is given",
                "Give --deploy-off CMD, or --skip-off.",
            )


_SHORTEST_DEADMAN = 1.0
_ELSEWHERE = f" (takeover.toml and {PREFIX}... count too)"
