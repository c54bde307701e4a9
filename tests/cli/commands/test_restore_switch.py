"""``restore`` of a switch that has ended: everything leads to blue again, and nothing of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.live import JSON
from tests.live_sites import Wrote

from route53_takeover.core.domain.api_mappings import ApiTarget

if TYPE_CHECKING:
    from tests.cli.live import Switcher
    from tests.live_sites import LiveAccount

OURS = "client"
HOURS = 6 * 3600.0


def test_hours_after_a_switch_everything_is_led_back_and_then_nothing_is_left_to_do(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain("", "v1")
    assert switcher.switch(site, bake="0s").code == 0
    live.clock.go_on_from(live.clock.now() + HOURS)
    switched = site.writes

    would = switcher("restore", switcher.run, "--dry-run", *JSON)
    assert (would.code, would.result["outcome"]) == (0, "done"), would.err
    assert "would be led back to blue" in would.result["reason"]
    assert [s["outcome"] for s in would.result["switches"]] == ["untouched"] * 2
    assert [line["dry_run"] for line in would.lines[:-1]] == [True, True]
    assert site.writes == switched

    back = switcher("restore", switcher.run, *JSON)
    assert (back.code, back.result["outcome"]) == (0, "done"), back.err
    assert [(s["target"], s["outcome"]) for s in back.result["switches"]] == [
        (f"{site.name}/v1", "restored"),
        (site.name, "restored"),
    ]
    assert [(line["event"], line["to"]) for line in back.lines[:-1]] == [
        ("restore", str(site.blue))
    ] * 2
    assert site.writes[2:] == [Wrote(OURS, path, str(site.blue)) for path in ("v1", "")]
    assert set(site.leads_to.values()) == {site.blue}
    saved = (switcher.program.folder / "restores.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["found"]["shown"] for line in saved] == [str(site.green)] * 2

    again = switcher("restore", switcher.run)
    assert again.code == 0
    assert "✔ done: everything leads to blue" in again.out
    assert f"{site.name} leads to {site.blue} already" in again.err
    assert len(site.writes) == 4


def test_what_another_writer_has_changed_since_is_refused_and_replaced_only_by_force(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain("", "v1")
    assert switcher.switch(site, bake="0s").code == 0
    other = ApiTarget(f"else{site.blue.api_id[4:]}", "dev")
    live.do(lambda: site.make(other, "blue"))
    live.do(lambda: site.lead(other))

    refused = switcher("restore", switcher.run, *JSON)
    assert (refused.code, refused.result["outcome"]) == (3, "refused"), refused.err
    assert (
        f"another writer has changed {site.name}: it leads to {other} now"
        in (refused.result["reason"])
    )
    assert f"restore {switcher.run} --force" in refused.err
    assert site.leads_to == {"": other, "v1": site.blue}, "it keeps no other from the way back"

    forced = switcher("restore", switcher.run, "--force", *JSON)
    assert (forced.code, forced.result["outcome"]) == (0, "done"), forced.err
    assert site.leads_to == {"": site.blue, "v1": site.blue}


def test_a_distribution_is_led_back_deployed_and_invalidated(
    live: LiveAccount, switcher: Switcher
) -> None:
    front = live.front()
    assert switcher.switch(front, bake="0s").code == 0
    blue = front.place_of(front.blue)
    edited = live.world.cloudfront.edit
    live.do(lambda: edited(front.key, Comment="edited"))
    refused = switcher("restore", switcher.run)
    assert refused.code == 3
    assert f"another writer has changed other settings of {front.key} site" in refused.err
    live.do(lambda: edited(front.key, Comment="made by hand"))
    before = len(front.writes)
    back = switcher("restore", switcher.run, *JSON)
    assert (back.code, back.result["outcome"]) == (0, "done"), back.err
    assert front.leads_to == blue
    assert front.writes[before:] == [Wrote(OURS, "", blue), Wrote(OURS, "/*", "")]
    led, invalidated = live.do(
        lambda: [
            each.time for each in live.world.cloudfront.history if each.distribution_id == front.key
        ][-2:]
    )
    assert invalidated - led >= live.world.cloudfront.habits.deploying


def test_a_damaged_journal_keeps_nobody_from_the_way_back_and_nothing_ends_in_a_traceback(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    assert switcher.switch(site, bake="0s").code == 0
    folder = switcher.program.folder
    journal, plan = folder / "journal.jsonl", folder / "plan.json"
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join([*lines[:4], "no event\n", *lines[5:]]), "utf-8")
    for words in (("resume", folder.name, "--auto"), ("report", folder.name)):
        damaged = switcher(*words)
        assert damaged.code == 4
        assert "line 5 of" in damaged.err
    (folder / "restores.jsonl").mkdir()  # nor does a disk that takes nothing
    back = switcher("restore", folder.name, *JSON)
    assert (back.code, back.result["outcome"]) == (0, "done"), back.err
    assert f"cannot save where {site.name} leads" in back.err
    assert site.leads_to == {"": site.blue}
    plan.write_bytes(plan.read_bytes()[:300])
    for words in (("restore", folder.name), ("resume", folder.name, "--auto")):
        wrong = switcher(*words)
        assert (wrong.code, wrong.out) == (2, "")
        assert "plan.json is damaged" in wrong.err
