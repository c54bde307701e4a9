"""Whether the deploys of a Ruby on Jets app follow ``ROUTE53_ENABLE``, and the line to add.

Jets 6 reads ``config/jets/deploy.rb`` in CodeBuild, where only those variables exist that
``config.codebuild.project.env.pass`` names. What is computed in Ruby is warned of, not refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.jets.files import JETS_6
from route53_takeover.core.plan.jets.ruby_config import SWITCH, Reads, reads
from route53_takeover.core.plan.model import Finding, JetsApp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.core.plan.jets.files import JetsFiles
    from route53_takeover.core.plan.jets.ruby_config import Assignment

TREES = ("lambda.url.cloudfront", "assets.cloudfront", "uploads.cloudfront", "elb")
"""The settings of Jets 6 under which ``route53.enable`` stands."""
_READS_SWITCH = f'ENV["{SWITCH}"] == "true"'
_FORWARDED = "codebuild.project.env.pass"
_PASSED = f'config.{_FORWARDED} = ["{SWITCH}"]'
_VARIABLES = "codebuild.project.env.vars"


def switch_of(folder: str, major: int, files: JetsFiles) -> JetsApp:
    """What the app's files say of the switch."""
    return _app_6(folder, files) if major == JETS_6 else _app_5(folder, major, files)


def _app_6(folder: str, files: JetsFiles) -> JetsApp:
    """Jets 6: ``deploy.rb`` has to read the switch, and ``bootstrap.rb`` to pass it on."""
    paths = files.of_jets("deploy")
    settings = {
        tree: [a for a in files.settings(*paths) if a.key == f"{tree}.route53.enable"]
        for tree in TREES
    }
    refusals, warnings = _switched(settings, files, paths, default="off")
    passing, unsure = _passed_on(files)
    return JetsApp(
        folder=folder,
        major=JETS_6,
        refusals=(*refusals, *passing),
        warnings=(*warnings, *unsure),
    )


def _app_5(folder: str, major: int, files: JetsFiles) -> JetsApp:
    """Jets 4 and 5: ``config.domain.route53``, which is on where there is a hosted zone."""
    paths = files.application
    settings = files.settings(*paths)
    zones = [a for a in settings if a.key == "domain.hosted_zone_name"]
    domain_is_switched = bool(zones) and zones[-1].mentions_switch
    route53 = [a for a in settings if a.key == "domain.route53"]
    refusals: list[Finding] = []
    warnings: list[Finding] = []
    if not (domain_is_switched and reads(route53) in (None, Reads.ON, Reads.SWITCHED)):
        refusals, warnings = _switched({"domain": route53}, files, paths, zones, default="on")
    if not any("hosted_zone_name" in (files.read(path) or "") for path in paths):
        warnings.append(
            Finding(
                text="config/application.rb sets no config.domain.hosted_zone_name: without one "
                "Jets creates no record."
            )
        )
    return JetsApp(
        folder=folder,
        major=major,
        domain_is_switched=domain_is_switched,
        refusals=tuple(refusals),
        warnings=tuple(warnings),
    )


def _switched(
    settings: Mapping[str, Sequence[Assignment]],
    files: JetsFiles,
    paths: tuple[str, ...],
    others: Sequence[Assignment] = (),
    *,
    default: str,
) -> tuple[list[Finding], list[Finding]]:
    """Refusals and warnings: at least one of these settings has to read the switch.

    Args:
        others: settings that may read it and do not count.
        default: what a setting is that no file has.
    """
    stand = {tree: reads(found) for tree, found in settings.items()}
    if Reads.SWITCHED in stand.values():
        return [], list(_warn_of_others(settings, stand))
    if wrong := [tree for tree, kind in stand.items() if kind is Reads.WRONG]:
        return [_replace(settings[wrong[0]][-1], "does not follow it")], []
    understood = [each for found in settings.values() for each in found]
    mentioned = files.mention(*paths, understood=[*understood, *others])
    if mentioned or Reads.UNSURE in stand.values():
        unsure = next((s[-1] for t, s in settings.items() if stand[t] is Reads.UNSURE), None)
        where = mentioned or (f"{unsure.file}:{unsure.line}" if unsure else paths[0])
        return [], [
            Finding(
                text=f"it is not certain that the Jets app creates the record exactly where "
                f'{SWITCH} is "true": {where} is not understood.',
                hint=f"Check it. This is understood: {_wanted(next(iter(settings)))}",
            )
        ]
    literal = next((s[-1] for t, s in settings.items() if stand[t] is Reads.ON), None)
    literal = literal or next((s[-1] for s in settings.values() if s), None)
    if literal is not None:
        return [_replace(literal, "does not read it")], []
    tree = next(iter(settings))
    return [
        Finding(
            text=f"the Jets app does not read {SWITCH}: without a setting config.{tree}.route53"
            f"{'' if tree == 'domain' else '.enable'} is {default} in both deploys.",
            hint=f"Add this line to {paths[0]}: {_wanted(tree)}",
        )
    ], []


def _wanted(tree: str) -> str:
    setting = "domain.route53" if tree == "domain" else f"{tree}.route53.enable"
    return f"config.{setting} = {_READS_SWITCH}"


def _replace(found: Assignment, what: str) -> Finding:
    return Finding(
        text=f'the deploys of the Jets app have to differ by {SWITCH} ("true" or "false"), and '
        f"`{found.text}` ({found.file}:{found.line}) {what}.",
        hint=f"Replace that line by: config.{found.key} = {_READS_SWITCH}",
    )


def _warn_of_others(
    settings: Mapping[str, Sequence[Assignment]], stand: Mapping[str, Reads | None]
) -> Iterator[Finding]:
    for tree, kind in stand.items():
        if kind is Reads.ON:
            found = settings[tree][-1]
            yield Finding(
                text=f"`{found.text}` ({found.file}:{found.line}) is on in both deploys: the "
                "records of that distribution are not part of this takeover."
            )


def _passed_on(files: JetsFiles) -> tuple[list[Finding], list[Finding]]:
    """Whether the switch exists in CodeBuild, where ``deploy.rb`` is read."""
    paths = files.of_jets("bootstrap")
    settings = [a for a in files.settings(*paths) if a.key in (_FORWARDED, _VARIABLES)]
    if any(a.mentions_switch for a in settings):
        return [], []
    mentioned = files.mention(*paths)
    passing = [a for a in settings if a.key == _FORWARDED]
    if mentioned is None and not any(_may_match(a.value) for a in passing):
        where = f"{passing[-1].file}:{passing[-1].line}" if passing else paths[0]
        hint = f"Add this line to {where}: {_PASSED}"
        if passing:
            hint = f'Add "{SWITCH}" to the list there ({where}).'
        elif files.read(paths[0]) is None:
            hint = f"Create {paths[0]} with: Jets.bootstrap.configure {{ {_PASSED} }}"
        return [
            Finding(
                text=f"Jets 6 deploys in CodeBuild, and {SWITCH} is not passed on to it: "
                f"config.{_FORWARDED} does not name it.",
                hint=hint,
            )
        ], []
    at = mentioned or f"{passing[-1].file}:{passing[-1].line}"
    return [], [
        Finding(
            text=f"it is not certain that {SWITCH} is passed on to CodeBuild: {at} is not "
            "understood.",
            hint=f"Check it. This is understood: {_PASSED}",
        )
    ]


def _may_match(value: str) -> bool:
    """Whether what is passed on may name the switch without spelling it out."""
    return not value.startswith(("[", "%w")) or "/" in value
