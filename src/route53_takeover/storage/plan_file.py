"""The plan file of ``plan --out``, which ``run --plan`` reads.

JSON with a version ``v``, the SHA-256 of ``content``, and ``content``: the plan with its options,
what it was made from, and the connection by profile names. It holds no credentials.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from route53_takeover.base import private_files
from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.base.escaping import escape_control
from route53_takeover.base.redaction import redacted
from route53_takeover.core.plan.account_read import AccountRead
from route53_takeover.core.plan.review import Review
from route53_takeover.storage.config import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.core.plan.model import Options

VERSION = 1
_NEW = "Make a new plan with `plan --out FILE` and review it."


class PlanFile(Struct, frozen=True, kw_only=True):
    """What a plan file contains.

    Attributes:
        made: when the account was read, seconds since the epoch.
        account: what was read, to rehearse the plan; ``None`` in files of earlier versions.
    """

    made: float
    connection: Connection
    review: Review
    account: AccountRead | None = None


class _Version(Struct, frozen=True, kw_only=True):
    v: int


class _Envelope(_Version, frozen=True, kw_only=True):
    sha256: str
    content: msgspec.Raw


def check_secrets(options: Options) -> None:
    """Refuses to write down a command or a parameter that contains a credential.

    Raises:
        UsageError: one seems to.
    """
    given = {
        "the deploy command": (options.deploy_off or "", options.deploy_on or ""),
        "--preview": (options.preview or "",),
        "--parameter": options.parameters,
    }
    for what, texts in given.items():
        if any(redacted(text) != text for text in texts):
            raise UsageError(
                f"{what} contains a credential, which the plan file would store",
                "Put it into an environment variable that the command reads.",
            )


def write_plan_file(path: Path, content: PlanFile) -> None:
    """Writes a plan file, mode 0600, in place of any that was there.

    Raises:
        UsageError: it cannot be written.
    """
    body = msgspec.json.format(msgspec.json.encode(content), indent=1)
    body = escape_control(body.decode(), keep="\n").encode()
    head = f'{{"v": {VERSION}, "sha256": "{sha256(body).hexdigest()}", "content": '
    try:
        private_files.write_durably(path, head.encode() + body + b"}\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "Check --out.") from error


def read_plan_file(path: Path, *, option: str = "--plan") -> PlanFile:
    """Reads a plan file, which ``option`` names.

    Raises:
        UsageError: it cannot be read, is damaged, or another user can have written it.
        RefusedError: another version wrote it.
    """
    try:
        data = private_files.read_trusted(path, option=option)
        version = msgspec.json.decode(data, type=_Version).v
        if version != VERSION:
            raise RefusedError(
                f"{path} is a plan file of version {version}; this program reads version {VERSION}",
                f"Use the version of route53-takeover that wrote it. Or: {_NEW}",
            )
        envelope = msgspec.json.decode(data, type=_Envelope)
        body = bytes(envelope.content)
        if sha256(body).hexdigest() != envelope.sha256:
            raise UsageError(f"{path} was changed after it was written", _NEW)
        return msgspec.json.decode(body, type=PlanFile)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", f"Check {option}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is damaged or not a plan file: {error}", _NEW) from error
