"""The money desk works off tickets: a line of people, not an instant."""

from __future__ import annotations

from reference_platform.ports import HOUR, MINUTE, Request, Response
from sim.kernel import Kernel
from sim.network import Network
from sim.node import Node
from sim.people import Staff
from sim.randomness import Streams


class Desk:
    """A platform with tickets, and the staff that resolves them. `stubborn` tickets stay open."""

    def __init__(
        self, *, people: int = 1, stubborn: bool = False, shift_us: tuple[int, int] | None = None
    ) -> None:
        self.kernel = kernel = Kernel()
        network = Network(kernel, Streams(1))
        network.connect("users", "edge", 1000)
        self.open: dict[str, None] = {}
        self.asked: list[tuple[int, str]] = []
        self.stubborn = stubborn
        self.meanwhile: list[str] = []  # opened right after the desk was told that there is nothing
        self.edge = Node(kernel, "edge", lambda _: self._serve)
        network.attach(self.edge)
        self.edge.start()
        self.staff = Staff(
            kernel,
            network.link("users", "edge"),
            Streams(1),
            people=people,
            service_us=4 * MINUTE,
            shift_us=shift_us,
        )

    async def _serve(self, request: Request) -> Response:
        if request.action == "admin.tickets":
            self.asked.append((self.kernel.now, "tickets"))
            told = [{"ticket_id": ticket_id} for ticket_id in self.open]
            if not told and self.meanwhile:
                self.opened(self.meanwhile.pop())
            return Response(200, {"tickets": told})
        ticket_id = request.body["ticket_id"]
        self.asked.append((self.kernel.now, ticket_id))
        if not self.stubborn:
            del self.open[ticket_id]
        return Response(200)

    def opened(self, *ticket_ids: str) -> None:
        for ticket_id in ticket_ids:
            self.open[ticket_id] = None
            self.staff.on_ticket()

    def resolved(self) -> dict[str, int]:
        return {what: at_us for at_us, what in self.asked if what != "tickets"}


def test_an_idle_desk_asks_for_nothing() -> None:
    """No ticket, no poll: the world can come to rest."""
    desk = Desk()
    assert desk.kernel.run_until_idle(HOUR)
    assert desk.asked == []


def test_each_ticket_takes_its_time_and_the_desk_rests_when_all_are_closed() -> None:
    """Two tickets, one person: one after the other; then no more polls."""
    desk = Desk()
    desk.opened("T1", "T2")
    assert desk.kernel.run_until_idle(HOUR)
    done = desk.resolved()
    assert list(done) == ["T1", "T2"]
    assert done["T1"] > 10_000_000
    assert desk.open == {}


def test_more_people_finish_sooner() -> None:
    """The promise of 30 minutes is a promise about a queue."""

    def last_done_us(people: int) -> int:
        desk = Desk(people=people)
        desk.opened(*(f"T{n}" for n in range(12)))
        desk.kernel.run_until_idle(10 * HOUR)
        return max(desk.resolved().values())

    assert last_done_us(1) > 2 * last_done_us(4)


def test_a_ticket_opened_while_the_answer_travels_is_not_forgotten() -> None:
    """The desk hears "none" and "news" in one moment: it looks again."""
    desk = Desk()
    desk.meanwhile = ["T2"]
    desk.opened("T1")
    assert desk.kernel.run_until_idle(10 * HOUR)
    assert list(desk.resolved()) == ["T1", "T2"]


def test_nobody_works_outside_the_shift() -> None:
    """A ticket of the night waits for the morning."""
    desk = Desk(shift_us=(9 * HOUR, 18 * HOUR))
    desk.opened("T1")
    desk.kernel.run_until_idle(24 * HOUR)
    assert 9 * HOUR < desk.resolved()["T1"] < 10 * HOUR


def test_a_ticket_that_cannot_be_resolved_is_given_up_after_twelve_tries() -> None:
    """The world must come to rest even then; the ticket stays open for all to see."""
    desk = Desk(stubborn=True)
    desk.opened("T1")
    assert desk.kernel.run_until_idle(24 * HOUR)
    assert [what for _, what in desk.asked].count("T1") == 12
    assert "T1" in desk.open


def test_a_dead_platform_does_not_keep_the_desk_polling_for_ever() -> None:
    """After twelve silences the desk waits for the next ticket."""
    desk = Desk()
    desk.edge.crash()
    desk.opened("T1")
    assert desk.kernel.run_until_idle(24 * HOUR)
    desk.edge.start()
    desk.staff.on_ticket()
    desk.kernel.run_until_idle(48 * HOUR)
    assert desk.open == {}
