"""Every time and count that the takeover is tuned by, in one place.

Seconds unless said otherwise. `deadman_after` and `backoff` are the two formulas; the forecast, the
machine and the screen all take them from here.
"""

from __future__ import annotations

# -- the release and what may count for it

ALIAS_HOLD, OTHER_HOLD = 2.0, 10.0
"""Seconds for which the gate must hold: CloudFormation may be adopting, or may have failed."""

ADOPTING = 90.0
"""Seconds that CloudFormation may take to adopt a record, once it has an id: after that one of
which not even the values are known may be what it retries, id or not."""

READ_FRESH = 2.0
"""Seconds for which a read of the name is good enough to release on."""

POLL_FRESH = 3.0
"""Seconds for which what is known of a stack is."""

LIST_FRESH = 1.0
"""Seconds for which a stack's own list of resources is, where the stack may adopt the record."""

WRITE_FRESH = 5.0
"""Seconds for which a read, or a stack's list, is good enough for a TTL change or the proof, while
nothing is deployed."""

LATE = 1.0
"""Seconds after a deadline of the machine's own from which on the process must have been stopped,
asleep or starved in between."""

SLEPT = 60.0
"""Seconds for a call from which on the process must have been stopped meanwhile: no client waits as
long, and an answer that is as old as that tells nothing of how long answers take."""

LIST_PACE = 2.0
"""Seconds between lists of a stack, where a release waits for nothing else."""

SECOND_LOOK = 2.0
"""Seconds between two reads that must agree before a DELETE of unknown fate counts as not done."""

IDENTICAL_LOOK = 10.0
"""The same where the manual and the desired record cannot be told apart."""

STALE = 5.0
"""Seconds after a write of ours for which a read that shows the state before it is stale."""

UNANSWERED = 60.0
"""Seconds, at most, after which a DELETE whose fate no read could tell is taken as done."""

EARLY_PAUSE = 0.4
"""Seconds between two names' writes while nothing is deployed: with a read each that makes five
calls of Route 53 a second, which is what an account takes."""

EARLY_READS = 2
"""Names that are read at the same time for these writes: the next one's turn comes soon."""

STALE_DECISION = 3.0
"""Seconds after which a release is not sent any more: a disk may have stalled on its intent."""

DISK_PATIENCE = 10.0
"""Seconds that a write waits for its intent to be durable; it is held off then and decided anew."""

# -- the restore

RESTORE_DISK_PATIENCE = 0.5
"""The same of a restore, which goes out without it then."""

RESTORE_PATIENCE = (2.0, 4.0, 8.0, 16.0)
"""Seconds until a restore without an answer is sent again, on a new connection: the old one may be
dead without a word. Longer each time, for an API that is only slow."""

RESTORE_PACE = 2.0
"""Seconds, at most, between two restores while the name is not known to have a record."""

RESTORE_AGAIN = 1.0
"""Seconds after a restore without an answer before which none is sent again: what answers at once
that the connection is closed must not be asked a hundred times a second."""

EXTENSION = 60.0
"""Seconds that a screen gives CloudFormation more, each time that it is asked to."""

LONGEST_EXTENSION = 600.0
"""Seconds above which what is asked for is taken for a mistake."""

# -- the deadman in AWS

CLOUD_MARGIN = 60.0
"""Seconds after the run's own deadman at which the one in AWS restores, at least."""

CLOUD_SLACK = 30.0
"""Seconds more that it gets when it is started: the release may come a little later."""

CLOUD_LEAD = 5.0
"""Seconds before the hold ends at which it is started."""

CLOUD_LATE = 180.0
"""Seconds by which it may be later than needed, before another one is started in its place."""

CLOUD_AGAIN, CLOUD_TRIES = 10.0, 360
"""Seconds between its tries while a record stands; how many there are: about an hour in all."""

CLOUD_TESTS = 2
"""Names for which it is tested at the same time: each test calls Route 53."""

CLOUD_PATIENCE = 6
"""Failures in a row after which it is not tested, started or stopped any more."""

# -- how often to look

GAP_READ, CLOSE_READ, GUARD_READ, IDLE_READ = 0.5, 1.0, 10.0, 30.0
"""Seconds between reads of a name: in the gap; while something may undo it; while guarding; while
a deploy runs and its stack does not, and in the drain."""

GOING_READ = 3.0
"""The same while the stack goes forward and the record stands; for many names a read a second."""

READ_GROUPS = 8
"""In how many groups many names are read slowly: what a hundred reads show, all at once, would keep
a release waiting."""

HOT, ACTIVE, IDLE = 0.5, 2.0, 5.0
"""Seconds between polls: around a release; of an active stack; of one that waits for others."""

PROBE, PROBE_IN_GAP = 2.0, 0.5
"""Seconds between two questions to the name servers; the second while a record may be missing."""

PROBES_A_SECOND = 20.0
"""Questions to the name servers, of all names together, at most: half of them of names that may
have no record."""

WARM = 10.0
"""Seconds for which a connection that was used stays open."""

HOT_FOR = 600.0
"""Seconds of a record's create after which looks are only frequent where they bring its release."""

VERIFY_READ = 5.0
"""Seconds between reads of a name while its name servers are awaited."""

POLL_BACKOFF = 10.0
"""Seconds, at most, between polls that fail."""

DESCRIBE_AGAIN = 3.0
"""Seconds between looks at a root stack whose events and status do not agree yet."""

MADE_ANEW = 30.0
"""The same while another deploy of the stack is awaited: it may be of a new stack of that name."""

# -- how long to wait for others

ONE_REQUEST = 2.0
"""Seconds: signals within them of the first are one request, for launchers deliver several."""

INSYNC_PATIENCE = 300.0
"""Seconds after which a change of unknown fate counts as INSYNC: usually under 60."""

INSYNC_ASSUMED = 60.0
"""Seconds after which a change without a change id counts as INSYNC."""

MISSED_EVENTS = 10.0
"""Seconds that the end of a deploy waits for a poll of the events; polls may fail, too."""
EVENTS_LAG = 60.0
"""Seconds for which events may lag behind what DescribeStacks says, before that is believed."""

TEMPLATE_PAUSE = 60.0
"""Seconds, at most, between two attempts to read a template that cannot be read."""

ANSWER_PATIENCE = 120.0
"""Seconds that verify waits for every name server to answer."""

BLIND_AFTER_NEWS = 900.0
"""Seconds for which it is tried again in any case, once anything has been read or written."""

INSYNC_EVERY = 2.0
"""Seconds between two questions whether a change is INSYNC."""

DEPLOY_LOOK_BACKOFF = 5.0
"""Seconds, at most, between two attempts to look at a deploy command that cannot be looked at."""

# -- alerts

ALERT_LIMIT = 30.0
"""Seconds, of this machine's clock, after which a command of ``--on-event`` is killed.

The process of a run that has ended waits as long for what is left to send.
"""

# -- the forecast

AT_ONCE = 10.0
"""Seconds within which a create that failed was not retried: no release would come in time."""

EXPECTED_GAP = 5.0
"""Seconds from the DELETE until CloudFormation's next try, unless the user says otherwise: its
retry interval is not published."""

# -- the strategies without a gap

WEIGHT_EVERY = 300.0
"""Seconds between two steps of weight, unless the user says otherwise."""

HELPER_PATIENCE = 180.0
"""Seconds that a helper record may take until every name server answers with it."""

# -- the blue-green switch

SWAP_FRESH = 2.0
"""Seconds after its answer for which a read of a swap is good enough to write on: a mapping has no
compare-and-set."""

SWAP_AGREES = 1.0
"""Seconds between two reads that must show a write before the next swap follows."""

SWAP_LAG = 15.0
"""Seconds after an accepted write for which reads may still show the state before it."""

SWAP_UNANSWERED = 10.0
"""Seconds after which a write without an answer is judged by what is read then: no client waits as
long."""

SWAP_TRIES = 5
"""Writes that are refused or held off, and attempts to find green, in a row, after which a step is
given up."""

SWAP_AGAIN = 3.0
"""Seconds between two attempts to write a swap; doubled each time that it is not taken."""

MOVED_PATIENCE = 20.0
"""Seconds that a mapping may be absent while green is deployed, before it is created again: a
custom resource that waits for it to be gone would delete it once more."""

GREEN_TRIES = 3
"""How often a check of green may fail before the switch is given up: green may be cold."""

CHECK_AGAIN = 5.0
"""Seconds between two attempts of a check of green."""

CHECK_FRESH = 90.0
"""Seconds for which a passed check of green is good enough to switch on, and one on users' way to
end the bake on: a run may have been paused, asleep or dead since."""

SETTLE_ANSWERS = 5
"""Answers in a row that have to come from green before a switch counts as settled."""

SETTLE_BLIND = 10.0
"""Seconds that a switch settles in where nothing tells which side answers."""

SETTLE_PATIENCE = 3600.0
"""Seconds after which a switch that does not settle is led back, and one that waits for CloudFront
to finish something else is given up."""

SWAP_READ, SWAP_READ_CLOSE, DISTRIBUTION_READ = 5.0, 1.0, 10.0
"""Seconds between reads of a mapping; the same around a write; of a distribution that settles."""

LIVE_CHECK_CLOSE, LIVE_CHECK, LIVE_COMMAND = 1.0, 5.0, 15.0
"""Seconds between two checks on users' way: while a switch settles; in the bake; a command."""

INVALIDATION_PATIENCE = 900.0
"""Seconds after which an invalidation that is not known to be complete holds nothing up."""

BLUE_MARGIN = 60.0
"""Seconds after a distribution has settled for which its old origin may still be asked: blue is not
deleted before."""

DELETE_BEGINS = STALE_DECISION + 1.0
"""Seconds after its intent from which the delete of blue counts as begun: until then it may be held
off, and a front that leads to blue is left there."""

BACK_PATIENCE = 600.0
"""Seconds for which the way back is tried while nothing can be read or written."""

# -- how often to try

PATIENCE = 12
"""Failures in a row, before any release, after which a step is given up (about a minute)."""

TEMPLATE_TRIES = 4
"""Reads of a template in vain after which a run at rest goes without it (some seconds)."""

BLIND = 40
"""Failed looks at the stack in a row after which a run may give up (about six minutes)."""

LIST_TRIES = 4
"""Failed lists in a row (about ten seconds) that an undo waits for, before anything is deployed."""

REFUSALS = 2
"""Refused twice, with a read in between that shows nothing changed: it will not be accepted."""

# -- the formulas

DEADMAN = (60.0, 300.0)
"""When the deadman restores: at least, and at most, this long after the DELETE was accepted."""
INSYNC = 60.0
"""Within which a change is usually on every name server."""


def deadman_after(
    in_progress: float, restore_after: float | None, least: float = DEADMAN[0]
) -> float:
    """How long after the accepted DELETE the record is restored, unless CloudFormation creates it.

    Args:
        in_progress: how long CloudFormation had been at it when the record was released.
        restore_after: what the user asks for instead (``--restore-after``).
        least: how long CloudFormation may pause between two tries, as measured.
    """
    if restore_after is not None:
        return restore_after
    return min(max(DEADMAN[0], least, 2 * in_progress), DEADMAN[1])


def backoff(failures: int, *, first: float, most: float) -> float:
    """The pause after so many failures in a row: ``first``, doubled by each further one."""
    return min(first * 2.0 ** min(failures - 1, 30), most)
