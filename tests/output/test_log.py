"""takeover.log can be read in a terminal and sent to others, whatever an error says."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from route53_takeover.output import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 -- AWS's own example
HOSTILE = f"aws_secret_access_key={SECRET} \x1b[31m\x7f\x9b\u202e\nforged"


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    handlers, before = logging.getLogger().handlers, structlog.get_config()
    yield
    log.finish()
    logging.getLogger().handlers = handlers
    structlog.configure(**before)


def _fail() -> None:
    error = RuntimeError("it went wrong")
    raise error from ValueError(HOSTILE)


def test_no_credential_and_no_control_character_is_logged_not_even_of_an_errors_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "takeover.log"
    log.to_file(path, log.level("debug"))
    ours, others = structlog.get_logger(), logging.getLogger("botocore.auth")
    monkeypatch.setattr(others, "level", logging.DEBUG)
    ours.error("write.forbidden", why=[HOSTILE], reason=HOSTILE)
    others.warning("retrying: %s", HOSTILE)
    others.debug("StringToSign: %s", HOSTILE)
    try:
        _fail()
    except RuntimeError:
        ours.exception("event.ignored")
        others.exception("never retrieved")

    log.finish()
    text = path.read_text()
    assert SECRET not in text
    lines = text.split("\n")[:-1]
    assert all(line.isascii() and line.isprintable() for line in lines)
    events = [json.loads(line)["event"] for line in lines]
    shown = HOSTILE.replace(SECRET, "***")
    expected = ["write.forbidden", f"retrying: {shown}", "event.ignored", "never retrieved"]
    assert events == expected, "what signatures are made from is not logged at any level"
    assert "it went wrong" in text
