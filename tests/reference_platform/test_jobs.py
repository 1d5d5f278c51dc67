"""Durable jobs: done at least once, by one node at a time, whatever dies."""

from __future__ import annotations

from typing import Any

from reference_platform.answers import Refused
from reference_platform.ports import SECOND, OutcomeUnknown
from reference_platform.tables import JOBS
from sim.clock import EPOCH_US
from tests.reference_platform.floor import Floor


class Diary:
    """A job handler that writes down when it ran and where, and can be told to fail."""

    def __init__(
        self,
        floor: Floor,
        again: tuple[int, ...] = (),
        errors: int = 0,
        takes_s: float = 0,
        error: Exception | None = None,
    ) -> None:
        self._error = error or OutcomeUnknown("no answer")
        self.ran: list[tuple[str, int]] = []
        self._floor = floor
        self._again = list(again)
        self._errors = errors
        self._takes_us = int(takes_s * SECOND)
        for name, platform in floor.platforms.items():
            platform.shop.jobs.handlers["test"] = self._handler(name)

    def _handler(self, node: str) -> Any:
        clock = self._floor.platforms[node].shop.ports.clock

        async def run(ref: str, tries: int) -> int | None:
            self.ran.append((node, self._floor.kernel.now // SECOND))
            if self._takes_us:
                await clock.sleep(self._takes_us)
            if self._errors:
                self._errors -= 1
                raise self._error
            return clock.now_us() + self._again.pop(0) * SECOND if self._again else None

        return run

    def times(self) -> list[int]:
        return [at for _, at in self.ran]


def schedule(floor: Floor, ref: str, due_s: int, node: str = "platform-1", *, fail: bool = False) -> None:
    shop = floor.platforms[node].shop

    async def work(tx: Any) -> None:
        await shop.jobs.schedule(tx, "test", ref, EPOCH_US + due_s * SECOND)
        if fail:
            raise OutcomeUnknown("the transaction comes to nothing")

    async def task() -> None:
        try:
            await shop.transactions.run(work)
        except OutcomeUnknown:
            assert fail

    floor.kernel.spawn(task(), "schedule")
    floor.run_for(0.01)


def test_a_job_runs_when_it_is_due_and_is_gone() -> None:
    """Not before."""
    floor = Floor(nodes=2)
    diary = Diary(floor)
    schedule(floor, "a", 60)
    floor.run_for(200)
    assert diary.ran == [("platform-1", 60)]
    assert floor.rows(JOBS, job="test") == []


def test_an_earlier_job_moves_the_alarm_forward() -> None:
    """Whoever sleeps for an hour is woken for a minute."""
    floor = Floor()
    diary = Diary(floor)
    schedule(floor, "late", 3600)
    schedule(floor, "soon", 60)
    floor.run_for(100)
    assert diary.times() == [60]


def test_a_job_of_a_transaction_that_failed_never_runs() -> None:
    """The row is the job."""
    floor = Floor()
    diary = Diary(floor)
    schedule(floor, "a", 60, fail=True)
    floor.run_for(100)
    assert diary.ran == []


def test_a_job_says_itself_when_to_run_again() -> None:
    """Polls and schedules are the handler's business."""
    floor = Floor()
    diary = Diary(floor, again=(30, 60))
    schedule(floor, "a", 10)
    floor.run_for(200)
    assert diary.times() == [10, 40, 100]
    assert floor.rows(JOBS, job="test") == []


def test_trouble_outside_puts_a_job_off_with_growing_pauses() -> None:
    """2, 4, 8 … seconds."""
    floor = Floor()
    diary = Diary(floor, errors=3)
    schedule(floor, "a", 10)
    floor.run_for(100)
    assert diary.times() == [10, 12, 16, 24]


def test_a_job_without_an_object_is_given_up_after_a_while() -> None:
    """X-46: nothing is retried for ever."""
    floor = Floor()
    diary = Diary(floor, errors=99, error=Refused(404, "gone"))
    schedule(floor, "a", 10)
    floor.run_for(600)
    assert len(diary.ran) == 8
    assert floor.rows(JOBS, job="test") == []


def test_the_same_job_twice_is_one_job_at_the_earlier_time() -> None:
    """A job's name is what it is for."""
    floor = Floor()
    diary = Diary(floor)
    schedule(floor, "a", 60)
    schedule(floor, "a", 30)
    schedule(floor, "a", 90)
    floor.run_for(100)
    assert diary.times() == [30]


def test_a_job_asked_for_anew_while_it_runs_runs_again() -> None:
    """Its end must not wipe out the new wish."""
    floor = Floor()
    diary = Diary(floor, takes_s=5)
    schedule(floor, "a", 10)
    floor.run_for(12 - floor.now_s)
    schedule(floor, "a", 20)
    floor.run_for(100)
    assert diary.times() == [10, 20]


def test_another_node_takes_over_when_the_owner_is_dead() -> None:
    """After a grace, since usually the owner is only about to do it."""
    floor = Floor(nodes=2)
    diary = Diary(floor)
    schedule(floor, "a", 60)
    floor.nodes["platform-1"].crash()
    floor.run_for(120)
    assert diary.ran == [("platform-2", 80)]


def test_a_job_whose_node_died_at_work_is_done_again_when_its_lease_is_over() -> None:
    """At least once."""
    floor = Floor(nodes=2)
    diary = Diary(floor, takes_s=5)
    schedule(floor, "a", 60)
    floor.run_for(62 - floor.now_s)
    floor.nodes["platform-1"].crash()
    floor.run_for(100)
    assert [node for node, _ in diary.ran] == ["platform-1", "platform-2"]


def test_a_restarted_node_finds_its_jobs() -> None:
    """Memory is gone, rows are not."""
    floor = Floor()
    schedule(floor, "a", 60)
    floor.nodes["platform-1"].crash()
    floor.run_for(100)
    floor.nodes["platform-1"].restart()
    diary = Diary(floor)
    floor.run_for(60)
    assert len(diary.ran) == 1


def test_more_jobs_than_workers_all_get_their_turn() -> None:
    """Nothing starves."""
    floor = Floor()
    diary = Diary(floor, takes_s=1)
    for n in range(50):
        schedule(floor, str(n), 60)
    floor.run_for(80)
    assert len(diary.ran) == 50
    assert floor.rows(JOBS, job="test") == []


def test_two_nodes_that_look_at_once_take_a_job_once() -> None:
    """Compare and set: the later one finds the due time moved."""
    floor = Floor(nodes=2)
    diary = Diary(floor, takes_s=1)
    schedule(floor, "a", 60)
    floor.run_for(59 - floor.now_s)
    for platform in floor.platforms.values():
        jobs = platform.shop.jobs

        async def look_at_the_same_time(jobs: Any = jobs) -> None:
            await jobs.clock.sleep(EPOCH_US + 60_500_000 - jobs.clock.now_us())
            await jobs.look()

        jobs.alarm_us = 0  # its own alarm is out of order
        floor.kernel.spawn(look_at_the_same_time(), "look")
    floor.run_for(10)
    assert diary.times() == [60]


def test_a_job_begun_by_a_commit_without_an_answer_is_found() -> None:
    """X-11: the commit happened and its ack did not come; nobody started the job, but its lease runs out."""
    floor = Floor()
    diary = Diary(floor)
    shop = floor.platforms["platform-1"].shop

    async def begin_once(tx: Any) -> None:
        if not await tx.select(JOBS, {"job": "test"}):
            await shop.jobs.begin(tx, "test", "a")

    floor.database.faults.lose_commit_acks("applied", count=1)
    floor.kernel.spawn(shop.transactions.run(begin_once), "begin")
    floor.run_for(20)
    assert diary.ran == []
    floor.run_for(20)
    assert len(diary.ran) == 1
    assert floor.rows(JOBS, job="test") == []


def test_an_idle_platform_does_next_to_nothing() -> None:
    """Once the last bill is read, a day and a half of waiting costs a handful of looks."""
    floor = Floor(nodes=2)
    Diary(floor)
    schedule(floor, "a", 60)
    floor.run_for(3 * 3600)
    looks = 0
    for platform in floor.platforms.values():
        jobs = platform.shop.jobs
        take = jobs.take

        async def counted(*args: Any, take: Any = take) -> Any:
            nonlocal looks
            looks += 1
            return await take(*args)

        jobs.take = counted  # type: ignore[method-assign, assignment]
    floor.run_for(36 * 3600)
    assert 0 < looks <= 20
