"""A command that is offered for copying runs the words that it shows."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from route53_takeover.output.text_lines import pasteable

WORDS = [
    "route53-takeover",
    "--deploy=make a\nmake b",
    "it's\x1b[31m \\n \u202eright\x9b",
    "back\\slash\t'\"",
    "\udcff not utf-8",
    "a b",
    "",
    "übung",
]


def test_a_plain_command_is_offered_as_it_is() -> None:
    line = shlex.join(["run", "--deploy=make 'x y'", "übung"])
    assert pasteable(line) == line


@pytest.mark.skipif(shutil.which("bash") is None, reason="it asks bash")
def test_a_command_with_control_characters_is_offered_so_that_pasting_it_runs_it() -> None:
    line = pasteable(shlex.join(WORDS))
    assert line.isprintable()
    ran = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], check=True, capture_output=True, env={}
    )
    said = ran.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    assert said == WORDS
