"""The options that say what is taken over and how: declared once for `plan`, `policy`, `run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.help import Panel, duration_text
from route53_takeover.cli.option_types import OwnersIn, Strategy
from route53_takeover.cli.options import OwnerCheckOption, option

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Options


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """What is taken over, and how."""

    stack: Annotated[
        str | None,
        option(
            "--stack",
            panel=Panel.TARGET,
            callback=types.not_empty,
            help="Stack that has to own the record: its name or ARN.",
            metavar="NAME|ARN",
        ),
    ] = None
    record: Annotated[
        list[str] | None,
        option(
            "--record",
            panel=Panel.TARGET,
            parser=types.record,
            help="Record to take over (repeatable); without TYPE: those of the template, else A, "
            "AAAA, CNAME and HTTPS. Without --record: every existing record that the pending "
            "template creates.",
            metavar="NAME[/TYPE[,TYPE]]",
        ),
    ] = None
    template: Annotated[
        str | None,
        option(
            "--template",
            panel=Panel.TARGET,
            callback=types.not_empty,
            help="Template that the deploy with the switch on will apply; nested ones are read.",
            metavar="FILE",
        ),
    ] = None
    parameter: Annotated[
        list[str] | None,
        option(
            "--parameter",
            panel=Panel.TARGET,
            parser=types.parameter,
            help="Parameter of that template (repeatable).",
            metavar="KEY=VALUE",
        ),
    ] = None
    preview: Annotated[
        str | None,
        option(
            "--preview",
            panel=Panel.TARGET,
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
            panel=Panel.TARGET,
            help="Accept that values of TXT, MX, CAA, ... which the stack's record lacks are lost.",
        ),
    ] = False
    zone: Annotated[
        str | None,
        option(
            "--zone",
            panel=Panel.TARGET,
            parser=types.zone,
            help="Hosted zone of the records, if there are two of that name.",
            metavar="ID|NAME",
        ),
    ] = None
    deploy: Annotated[
        str | None,
        option(
            "--deploy",
            panel=Panel.DEPLOY,
            help="Deploy command, run by sh twice: with ROUTE53_ENABLE=false, then true.",
            metavar="CMD",
        ),
    ] = None
    deploy_off: Annotated[
        str | None,
        option(
            "--deploy-off",
            panel=Panel.DEPLOY,
            help="Deploy command with the switch off.",
            metavar="CMD",
        ),
    ] = None
    deploy_on: Annotated[
        str | None,
        option(
            "--deploy-on",
            panel=Panel.DEPLOY,
            help="Deploy command with the switch on.",
            metavar="CMD",
        ),
    ] = None
    jets: Annotated[
        Path | None,
        option(
            "--jets",
            panel=Panel.DEPLOY,
            help="Ruby on Jets app; stack, deploy command and --settle are derived from it.",
            metavar="DIR",
        ),
    ] = None
    no_deploy: Annotated[
        bool,
        option(
            "--no-deploy",
            panel=Panel.DEPLOY,
            help="Do not deploy; act on a deploy that is started elsewhere.",
        ),
    ] = False
    skip_off: Annotated[
        bool, option("--skip-off", panel=Panel.DEPLOY, help="Skip the deploy with the switch off.")
    ] = False
    strategy: Annotated[
        Strategy | None,
        option(
            "--strategy",
            panel=Panel.STRATEGY,
            metavar="NAME",
            show_default="delete",
            help="How the stack gets the record: delete; adopt, bridge, weighted (no gap); or auto "
            "(smallest expected harm).",
        ),
    ] = None
    weights: Annotated[
        str | None,
        option(
            "--weights",
            panel=Panel.STRATEGY,
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
            panel=Panel.STRATEGY,
            parser=types.duration,
            metavar="DURATION",
            help="Time between these steps.",
        ),
    ] = 300.0
    ttl: Annotated[
        str,
        option(
            "--ttl",
            panel=Panel.STRATEGY,
            parser=types.ttl,
            metavar="DURATION|keep",
            show_default="60s",
            help="Lower the record's TTL to this first; keep: leave it.",
        ),
    ] = "60"
    negative_ttl: Annotated[
        int | None,
        option(
            "--negative-ttl",
            panel=Panel.STRATEGY,
            parser=types.negative_ttl,
            metavar="DURATION",
            show_default="unchanged",
            help="Lower the negative TTL of the zone's SOA to this for the run: so long resolvers "
            'cache "no such name".',
        ),
    ] = None
    no_drain: Annotated[
        bool,
        option(
            "--no-drain",
            panel=Panel.STRATEGY,
            help="Do not wait until the record's old TTL has expired.",
        ),
    ] = False
    hold: Annotated[
        float | None,
        option(
            "--hold",
            panel=Panel.RELEASE,
            parser=types.duration,
            metavar="DURATION",
            show_default="2s for aliases, else 10s",
            help="Minimum time in CREATE_IN_PROGRESS before the old record is deleted.",
        ),
    ] = None
    restore_after: Annotated[
        float | None,
        option(
            "--restore-after",
            panel=Panel.RELEASE,
            parser=types.duration,
            metavar="DURATION",
            show_default="twice the time in progress, at least 60s, at most 5m",
            help="Restore the old record if CloudFormation has not created its own within this "
            "time after the delete.",
        ),
    ] = None
    cloud_deadman: Annotated[
        str | None,
        option(
            "--cloud-deadman",
            panel=Panel.RELEASE,
            parser=types.role,
            metavar="ROLE_ARN",
            help="Also let AWS restore the record if this machine dies: role of the state machine "
            "that `policy --cloud-deadman` prints.",
        ),
    ] = None
    deploy_timeout: Annotated[
        float | None,
        option(
            "--deploy-timeout",
            panel=Panel.DEPLOY,
            parser=types.duration,
            metavar="DURATION",
            show_default="2h",
            help="Time limit of a deploy command.",
        ),
    ] = None
    settle: Annotated[
        float | None,
        option(
            "--settle",
            panel=Panel.DEPLOY,
            parser=types.duration,
            metavar="DURATION",
            show_default="5s; 60s with --no-deploy, 5m with --jets",
            help="Time without stack events after which a complete stack counts as stable.",
        ),
    ] = None
    expected_gap: Annotated[
        float | None,
        option(
            "--expected-gap",
            panel=Panel.STRATEGY,
            parser=types.duration,
            metavar="DURATION",
            show_default="5s",
            help="Time from the delete to CloudFormation's next try; for the forecast only.",
        ),
    ] = None
    confirm_release: Annotated[
        bool,
        option(
            "--confirm-release",
            panel=Panel.RELEASE,
            help="Wait for your confirmation before the old record is deleted; not with --auto.",
        ),
    ] = False
    owner_check: OwnerCheckOption = OwnersIn.FULL
    no_probe: Annotated[
        bool, option("--no-probe", panel=Panel.RELEASE, help="Do not query the name servers.")
    ] = False

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
        timeout = 7200.0 if self.deploy_timeout is None else self.deploy_timeout
        if self.hold is not None and self.hold >= timeout:
            raise UsageError(
                f"--hold {duration_text(self.hold)} is not shorter than --deploy-timeout "
                f"{duration_text(timeout)}: the record would never be deleted",
                "Use a shorter --hold, or leave it out (2s for aliases, else 10s).",
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
            "deploy_timeout": timeout,
            "probe": not self.no_probe,
            "expected_gap": EXPECTED_GAP if self.expected_gap is None else self.expected_gap,
        }
        return convert({**vars(self), **derived}, Options)

    def _check_pending(self) -> None:
        if self.template is not None and self.preview is not None:
            raise UsageError(
                "--template and --preview both give the pending template",
                "Give one of them.",
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
                "Leave one out: --no-deploy, or --deploy, --deploy-off and --deploy-on.",
            )
        if both and (off or on):
            raise UsageError(
                "--deploy stands for both of --deploy-off and --deploy-on",
                "Give either --deploy or the other two.",
            )
        if self.skip_off and off:
            raise UsageError("--skip-off and --deploy-off contradict each other", "Leave one out.")
        if not self.no_deploy and not self.skip_off and not both and not off:
            raise UsageError(
                "no command for the deploy with the switch off is given",
                "Give --deploy-off CMD, or --skip-off.",
            )


_SHORTEST_DEADMAN = 1.0
