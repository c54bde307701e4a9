"""A plan and what was read for it, from a run's folder or from a file.

The file is one of ``plan --out``, or the plan.json of a run's folder.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.plan.account_read import AccountRead
from route53_takeover.core.plan.model import Plan
from route53_takeover.storage.plan_file import read_plan_file
from route53_takeover.storage.run_folder import RunFolder, find_run


class Rehearsable(Struct, frozen=True, kw_only=True):
    """What can be rehearsed without AWS."""

    plan: Plan
    account: AccountRead


def rehearsable(state_dir: Path, like: str) -> Rehearsable:
    """Reads what a run or a file holds.

    Args:
        like: a run as `find_run` takes it, or the path of a file.

    Raises:
        UsageError: there is no such run or file, or it is damaged.
        RefusedError: an earlier version wrote it, without what was read.
    """
    path = Path(like)
    if path.is_file():
        plan, account = _in_file(path)
    else:
        saved = find_run(state_dir, like).plan()
        plan, account = saved.plan, saved.account
    if account is None:
        raise RefusedError(
            f"{like} does not contain what was read of the account: an earlier version wrote it",
            "Make a new plan with `plan --out FILE`, or use `run --dry-run`.",
        )
    return Rehearsable(plan=plan, account=account)


def _in_file(path: Path) -> tuple[Plan, AccountRead | None]:
    if path.name == "plan.json" and _is_of_a_run(path):
        saved = RunFolder(path.absolute().parent).plan()
        return saved.plan, saved.account
    content = read_plan_file(path, option="--like")
    return content.review.plan, content.account


def _is_of_a_run(path: Path) -> bool:
    try:
        return "format" in msgspec.json.decode(path.read_bytes(), type=dict)
    except (OSError, msgspec.MsgspecError):
        return False
