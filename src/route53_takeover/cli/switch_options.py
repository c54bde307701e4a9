"""The options that say what is switched from blue to green, and how."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.help import Panel
from route53_takeover.cli.options import option

if TYPE_CHECKING:
    from route53_takeover.core.switch.model import SwitchOptions


_SWITCH = "SWITCH_"
"""Begins the variables of options that a takeover has as well: ROUTE53_TAKEOVER_SWITCH_DEPLOY."""


@dataclass(frozen=True, kw_only=True)
class SiteSwitch:
    """What is switched, and how."""

    domain: Annotated[
        str | None,
        option(
            "--domain",
            panel=Panel.SITE,
            callback=types.not_empty,
            help="Custom domain of API Gateway whose mappings are switched.",
            metavar="NAME",
        ),
    ] = None
    base_path: Annotated[
        str | None,
        option(
            "--base-path",
            panel=Panel.SITE,
            show_default="all that lead to blue",
            help="Only the mapping of this base path; / for the root.",
            metavar="PATH",
        ),
    ] = None
    distribution: Annotated[
        str | None,
        option(
            "--distribution",
            panel=Panel.SITE,
            callback=types.not_empty,
            help="CloudFront distribution whose origin is switched: its id, name or alias.",
            metavar="ID|NAME",
        ),
    ] = None
    origin: Annotated[
        str | None,
        option(
            "--origin",
            panel=Panel.SITE,
            callback=types.not_empty,
            show_default="that of the default behaviour",
            help="Id of the origin.",
            metavar="ID",
        ),
    ] = None
    to: Annotated[
        str | None,
        option(
            "--to",
            panel=Panel.SITE,
            callback=types.not_empty,
            help="Green: the stage of an API, or with --distribution a host with a path.",
            metavar="API_ID/STAGE|HOST[/PATH]",
        ),
    ] = None
    to_stack: Annotated[
        str | None,
        option(
            "--to-stack",
            panel=Panel.SITE,
            callback=types.not_empty,
            help="The stack that green is in: its API, distribution or Lambda URL is used.",
            metavar="STACK",
        ),
    ] = None
    deploy: Annotated[
        str | None,
        option(
            "--deploy",
            panel=Panel.DEPLOY,
            of=_SWITCH,
            callback=types.not_empty,
            help="Command that makes green, before anything else. The live site is watched "
            "meanwhile, and led back where the command moves it.",
            metavar="CMD",
        ),
    ] = None
    deploy_timeout: Annotated[
        float,
        option(
            "--deploy-timeout",
            panel=Panel.DEPLOY,
            of=_SWITCH,
            parser=types.duration,
            metavar="DURATION",
            help="Time limit of the deploy command.",
        ),
    ] = 7200.0
    jets: Annotated[
        Path | None,
        option(
            "--jets",
            panel=Panel.DEPLOY,
            of=_SWITCH,
            help="Ruby on Jets app; deploy command, green's stack and a check are derived from "
            "it, with --extra.",
            metavar="DIR",
        ),
    ] = None
    extra: Annotated[
        str | None,
        option(
            "--extra",
            panel=Panel.DEPLOY,
            callback=types.not_empty,
            help="JETS_EXTRA of the second environment, with --jets.",
            metavar="NAME",
        ),
    ] = None
    check: Annotated[
        list[str] | None,
        option(
            "--check",
            panel=Panel.CHECKS,
            help="URL, or shell command, that has to succeed on green before the switch and on "
            "the live site all through --bake (repeatable). A URL may have the options of "
            "curl (-X, -H, -b, -d) and --expect-status, --expect-body, --expect-header, "
            "--side-header.",
            metavar="URL|CMD",
        ),
    ] = None
    bake: Annotated[
        float,
        option(
            "--bake",
            panel=Panel.CHECKS,
            parser=types.duration,
            metavar="DURATION",
            help="Time for which the checks go on after the switch.",
        ),
    ] = 300.0
    max_failures: Annotated[
        int,
        option(
            "--max-failures",
            panel=Panel.CHECKS,
            min=0,
            metavar="N",
            help="Failed checks after the switch that do not switch back.",
        ),
    ] = 2
    match_policies: Annotated[
        bool,
        option(
            "--match-policies",
            panel=Panel.SITE,
            help="Take the policies of green's distribution over in the same update.",
        ),
    ] = False
    invalidate: Annotated[
        str | None,
        option(
            "--invalidate",
            panel=Panel.SITE,
            show_default="/* where something may be cached",
            help="Paths to invalidate once every edge has the change.",
            metavar="PATHS|none",
        ),
    ] = None

    retire: Annotated[
        str | None,
        option(
            "--retire",
            panel=Panel.CHECKS,
            callback=types.not_empty,
            help="At the end, delete this stack, if nothing live needs it.",
            metavar="STACK",
        ),
    ] = None

    def options(self) -> SwitchOptions:
        """What a plan is made from.

        Raises:
            UsageError: options contradict each other, or one is missing.
        """
        from route53_takeover.core.switch.model import SwitchOptions

        if self.jets is not None:
            return self._of_jets(self.jets).options()
        self._check()
        paths = self.invalidate
        return SwitchOptions(
            domain=self.domain,
            base_path=self.base_path,
            distribution=self.distribution,
            origin=self.origin,
            to=self.to,
            to_stack=self.to_stack,
            deploy=self.deploy,
            deploy_timeout=self.deploy_timeout,
            extra=self.extra,
            checks=tuple(self.check or ()),
            bake=self.bake,
            max_failures=self.max_failures,
            match_policies=self.match_policies,
            invalidate=None if paths is None else _paths(paths),
            retire=self.retire,
        )

    def _of_jets(self, app: Path) -> SiteSwitch:
        """The same with what the app in this folder stands for."""
        from route53_takeover.cli.jets import second_environment

        if self.extra is None:
            raise UsageError(
                "--jets needs --extra: green is deployed beside blue, under a name of its own",
                "Such as --extra 2.",
            )
        if self.to is not None or self.to_stack is not None or self.deploy is not None:
            raise UsageError(
                "--jets stands for --deploy and for green's stack: it contradicts --to, "
                "--to-stack and --deploy",
                "Leave one out.",
            )
        derived = second_environment(app, self.extra)
        site = self.domain or (self.distribution if "." in (self.distribution or "") else None)
        return replace(
            self,
            jets=None,
            to_stack=derived.stack,
            deploy=derived.command,
            deploy_timeout=max(self.deploy_timeout, derived.timeout),
            check=self.check or ([f"https://{site}/"] if site else None),
        )

    def _check(self) -> None:
        from route53_takeover.core.domain.http_secrets import filled
        from route53_takeover.core.switch.check_syntax import parse_check

        if (self.domain is None) == (self.distribution is None):
            raise UsageError(
                "exactly one of --domain and --distribution is needed",
                "Give --domain NAME for API Gateway, --distribution ID for CloudFront.",
            )
        if (self.to is None) == (self.to_stack is None):
            raise UsageError(
                "exactly one of --to and --to-stack is needed",
                "Give --to API_ID/STAGE (or HOST[/PATH]), or --to-stack STACK.",
            )
        of_cloudfront = {
            "--origin": self.origin is not None,
            "--match-policies": self.match_policies,
            "--invalidate": self.invalidate is not None,
        }
        for name, is_given in of_cloudfront.items():
            if is_given and self.distribution is None:
                raise UsageError(f"{name} belongs to --distribution", "Leave it out.")
        if self.extra is not None and self.deploy is None:
            raise UsageError("--extra belongs to --jets", "Leave it out.")
        if self.base_path is not None and self.domain is None:
            raise UsageError("--base-path belongs to --domain", "Leave it out.")
        if self.to is not None:
            self._check_green(self.to)
        for text in self.check or ():
            check = parse_check(text)
            if not check.command:
                filled(check, os.environ)

    def _check_green(self, to: str) -> None:
        """Refuses what can name neither a stage nor a host."""
        from route53_takeover.core.switch.origins import target_of

        api_id, _, stage = to.partition("/")
        if self.domain is not None and (not api_id or not stage or "/" in stage):
            raise UsageError(f"--to {to!r} is no API_ID/STAGE", "Such as --to a1b2c3d4e5/dev_2.")
        if self.distribution is not None and target_of(to) is None:
            raise UsageError(
                f"--to {to!r} is no HOST[/PATH]",
                "Such as --to abc123.execute-api.eu-west-1.amazonaws.com/prod.",
            )


def _paths(text: str) -> tuple[str, ...]:
    """What ``--invalidate`` names."""
    if text == "none":
        return ()
    paths = tuple(path.strip() for path in text.split(",") if path.strip())
    if not paths or not all(path.startswith("/") for path in paths):
        raise UsageError(
            f"--invalidate {text!r} is no list of paths", "Such as --invalidate '/*', or none."
        )
    return paths
