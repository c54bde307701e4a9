"""The AWS settings of a profile on this machine; no secrets, no calls."""

from __future__ import annotations

import os
import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from route53_takeover.adapters.error_mapping import LOGIN_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.session import Session


def chosen_region(region: str | None) -> str | None:
    """The region given, else ``AWS_REGION``; ``None`` leaves it to botocore.

    botocore itself knows only ``AWS_DEFAULT_REGION``, while the AWS command line and the other SDKs
    that a deploy command may use go by ``AWS_REGION``.
    """
    return region or os.environ.get("AWS_REGION") or None


def login_hint(session: Session, profile: str | None) -> str:
    """What the user does when this profile, expired or misspelled, has no credentials."""
    name = _name(session, profile)
    known = _known(session)
    if name not in {*known, "default"}:
        near = get_close_matches(name, known, n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        return f"{meant}{LOGIN_HINT}"
    for section in _chain(session, name):
        if "sso_session" in section or "sso_start_url" in section:
            return f"run: aws sso login --profile {shlex.quote(name)}"
        if "login_session" in section:
            return f"run: aws login --profile {shlex.quote(name)}"
    return LOGIN_HINT


def needs_mfa(session: Session, profile: str | None) -> bool:
    """Whether taking on the profile's role needs an MFA code."""
    return any(
        "mfa_serial" in section and "role_arn" in section
        for section in _chain(session, _name(session, profile))
    )


def _known(session: Session) -> list[str]:
    try:
        return list(session.available_profiles)
    except BotoCoreError:
        return []


def _name(session: Session, profile: str | None) -> str:
    try:
        return profile or session.profile or "default"
    except BotoCoreError:
        return "default"


def _chain(session: Session, name: str) -> Iterator[Mapping[str, str]]:
    """The profile's section, then its ``source_profile`` and so on."""
    try:
        sections = session.full_config.get("profiles", {})
    except BotoCoreError:
        return
    seen: set[str] = set()
    while name in sections and name not in seen:
        seen.add(name)
        yield sections[name]
        name = sections[name].get("source_profile", "")
