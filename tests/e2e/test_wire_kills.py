"""Runs that are killed in every phase, over real HTTP, and what `resume` and `restore` make of it.

The account and the deploy commands live on. What is true is asked of the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.simulated import JSON, await_true, of, to

if TYPE_CHECKING:
    from tests.e2e.simulated import Scene


@pytest.mark.parametrize("scene", [{"scenario": "alias"}], indirect=True)
def test_one_run_killed_in_each_phase_and_resumed_each_time_ends_well(scene: Scene) -> None:
    killed_before_anything_is_written(scene)
    killed_while_it_deploys_with_the_switch_off(scene)
    killed_before_the_answer_to_its_proof(scene)
    killed_before_it_deploys_with_the_switch_on(scene)
    killed_while_it_watches(scene)
    killed_before_and_after_the_release_is_applied(scene)
    killed_in_the_gap(scene)
    killed_while_it_guards(scene)
    killed_while_it_verifies(scene)
    done = scene.resume().finish()
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    (record,) = done.result["records"]
    assert record["outcome"] == "created"
    assert record["gap_seconds"] > 0
    assert scene.is_taken
    scene.assert_true_an_hour_later(scene.here)
    assert [a for a in scene.account.actions() if "CREATE" not in a] == [["DELETE"]]
    assert len(scene.relay.of("release")) <= 3, "one, and one more for each that did not arrive"


def killed_before_anything_is_written(scene: Scene) -> None:
    plans = scene.takeover.state_dir
    scene.relay.befall(lambda _: "request" if any(plans.glob("runs/*/plan.json")) else "")
    running = scene.start()
    running.await_phase("backup")
    running.kill()
    assert scene.relay.changes == []


def killed_while_it_deploys_with_the_switch_off(scene: Scene) -> None:
    running = scene.resume()
    running.await_phase("deploy-off")
    scene.await_deploy("off", "log", "deploying")
    await_true(lambda: scene.account.status, "the stack")
    running.kill()
    assert scene.account.status == "CREATE_IN_PROGRESS"
    scene.account.pass_time(60)
    scene.await_deploy("off", "exit", "0\n")
    assert scene.here == scene.original


def killed_before_the_answer_to_its_proof(scene: Scene) -> None:
    running = scene.resume(of("prove", "answer"))
    scene.relay.await_loss()
    running.kill()
    assert scene.here == scene.original
    assert scene.account.actions() == [["DELETE", "CREATE"]]


def killed_before_it_deploys_with_the_switch_on(scene: Scene) -> None:
    running = scene.resume(to("DescribeStacks", "request"))
    running.await_phase("deploy-on")
    scene.relay.await_loss()
    running.kill()
    assert not (scene.takeover.run_folder / "deploy-on.log").exists()


def killed_while_it_watches(scene: Scene) -> None:
    running = scene.resume(of("release", "request"))
    scene.go_to_the_record(running)
    running.kill()
    assert scene.here == scene.original


def killed_before_and_after_the_release_is_applied(scene: Scene) -> None:
    for fate, left in (("request", scene.original), ("answer", [])):
        running = scene.resume(of("release", fate))
        scene.relay.await_loss()
        running.kill()
        assert scene.here == left
        assert scene.takeover.journal[-1]["event"] != "WriteAccepted"


def killed_in_the_gap(scene: Scene) -> None:
    running = scene.resume()
    running.await_phase("confirm")
    running.kill()
    assert scene.here == []


def killed_while_it_guards(scene: Scene) -> None:
    scene.account.pass_time(3)  # CloudFormation's next try
    assert scene.is_taken
    running = scene.resume()
    running.await_phase("guard")
    running.kill()
    refused = scene.restore()
    assert (refused.code, refused.result["outcome"]) == (3, "refused"), refused.result
    assert "stack shop owns" in refused.result["reason"]
    assert scene.is_taken


def killed_while_it_verifies(scene: Scene) -> None:
    scene.account.pass_time(60)
    scene.await_deploy("on", "exit", "0\n")
    running = scene.resume(to("ListResourceRecordSets", "request"))
    running.await_phase("verify")
    running.kill()


@pytest.mark.parametrize("scene", [{"scenario": "rolled-back", "cname": 300}], indirect=True)
def test_a_run_killed_while_it_lowers_the_ttl_and_while_it_restores_puts_all_back(
    scene: Scene,
) -> None:
    scene.relay.befall(of("lower-ttl", "answer"))
    running = scene.start()
    scene.relay.await_loss()
    running.kill()
    assert [record["TTL"] for record in scene.here] == [60]
    running = scene.resume(of("restore", "request"))
    scene.go_to_the_record(running)
    running.await_phase("confirm")
    scene.account.pass_time(60)  # it is created, and what comes after it fails
    assert scene.account.status == "UPDATE_ROLLBACK_COMPLETE"
    scene.relay.await_loss()
    running.kill()
    assert scene.here == []
    running = scene.resume(of("restore", "answer"))
    scene.relay.await_loss()
    running.kill()
    assert scene.here == scene.original, "to the letter, its TTL too"
    done = scene.resume().finish()
    assert (done.code, done.result["outcome"]) == (1, "restored"), done.result
    assert "Resource handler returned message" in done.result["reason"]
    scene.assert_true_an_hour_later(scene.original)
    assert scene.account.actions().count(["CREATE"]) == 1


@pytest.mark.parametrize("scene", [{"scenario": "nested", "cname": 300}], indirect=True)
def test_a_run_killed_while_the_old_ttl_runs_out_is_put_back_by_restore(scene: Scene) -> None:
    running = scene.takeover.start("run", *scene.arguments, "--auto", *JSON)
    running.await_line(lambda line: line["event"] == "write-accepted", "the lowered TTL")
    scene.account.pass_time(60)  # it is INSYNC
    running.await_phase("drain")
    running.kill()
    assert [record["TTL"] for record in scene.here] == [60]
    done = scene.restore()
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    assert done.result["records"][0]["outcome"] == "restored"
    scene.assert_true_an_hour_later(scene.original)
    assert scene.account.actions() == [["DELETE", "CREATE"]] * 2
