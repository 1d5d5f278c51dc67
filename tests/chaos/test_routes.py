"""Who hears of what: in whose order, and always with one's own methods."""

from __future__ import annotations

from chaos import routes
from chaos.routes import Handler


class Listener:
    """Notes what it hears."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.heard: list[object] = []

    def hears(self) -> dict[str, Handler]:
        return dict.fromkeys(self.keys, self.heard.append)


def test_listeners_are_called_in_their_order_and_those_of_any_name_first() -> None:
    """A listener that asked for `kind.*` hears a name before those who asked for that name alone."""
    early, late, general = Listener("ok.pay", "CH.captured"), Listener("ok.pay"), Listener("ok.*")
    found = routes.tables([early.hears(), late.hears(), general.hears()])
    assert found["ok"]["pay"] == (general.heard.append, early.heard.append, late.heard.append)
    assert found["ok"]["*"] == (general.heard.append,)
    assert found["CH"] == {"captured": (early.heard.append,)}


def test_a_name_may_have_dots_of_its_own() -> None:
    """Only the first dot ends the kind: `fault.node.crash` is a fault named `node.crash`."""
    assert list(routes.tables([Listener("fault.node.crash").hears()])["fault"]) == ["node.crash"]


def test_the_same_keys_again_lead_to_the_new_listeners() -> None:
    """What is remembered from one run to the next is places, never the listeners of the former run."""
    first, second = Listener("ok.pay", "read.*"), Listener("ok.pay", "read.*")
    routes.tables([first.hears()])
    for handler in routes.tables([second.hears()])["ok"]["pay"]:
        handler("paid")
    assert (first.heard, second.heard) == ([], ["paid"])


def test_one_listener_less_is_another_table() -> None:
    """A checker that broke is left out, and the others keep their turns."""
    broken, sound = Listener("ok.pay"), Listener("ok.pay")
    assert len(routes.tables([broken.hears(), sound.hears()])["ok"]["pay"]) == 2
    assert routes.tables([sound.hears()])["ok"]["pay"] == (sound.heard.append,)
