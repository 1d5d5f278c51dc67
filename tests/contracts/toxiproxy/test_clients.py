"""Clients that people use, unchanged: `toxiproxy-python`, npm's `toxiproxy-node-client`, and the harness's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from chaos.live.faults import Touched
from chaos.live.link_faults import LinkFaults
from chaos.live.toxics import Toxiproxy, ToxiproxyError
from tests.contracts.toxiproxy.lines import Line, toxic, until
from tests.contracts.toxiproxy.servers import CACHE, Server, missing

NODE_CLIENT = "toxiproxy-node-client@4.1.0"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where the client for Node is; npm fetches it once into the cache."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("no node and npm, so no toxiproxy-node-client")
    folder = CACHE / "node"
    if not (folder / "node_modules" / "toxiproxy-node-client").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            NODE_CLIENT,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            missing(f"npm could not install {NODE_CLIENT}: {done.stderr.strip()[-200:]}")
    return folder / "node_modules"


STORY = """
const { Toxiproxy } = require("toxiproxy-node-client");
(async () => {
  const server = new Toxiproxy(process.argv[2]);
  const told = { version: JSON.parse(await server.getVersion()).version.length > 0 };
  const proxy = await server.get("line");
  const toxic = await proxy.addToxic({ type: "latency", name: "slow", attributes: { latency: 600000 } });
  const changed = await toxic.update({ attributes: { latency: 300 }, toxicity: 1 });
  told.attributes = changed.attributes;
  told.names = Object.keys(await server.getAll());
  const more = await server.populate([{ name: "more", listen: "127.0.0.1:0", upstream: "127.0.0.1:1" }]);
  told.disabled = (await more.more.update({ enabled: false })).enabled;
  await more.more.remove();
  try { await server.get("more"); } catch (error) { told.gone = error.message; }
  console.log(JSON.stringify(told));
})();
"""


def test_the_node_client_drives_it(server: Server, node_modules: Path, tmp_path: Path) -> None:
    """Add, update, list, populate, disable, remove; the toxic that it left delays a byte."""
    script = tmp_path / "story.cjs"
    script.write_text(STORY, "utf-8")
    (tmp_path / "node_modules").symlink_to(node_modules)
    with Line.through(server) as line:
        done = subprocess.run(
            ["node", str(script), server.url], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "version": True,
            "attributes": {"latency": 300, "jitter": 0},
            "names": ["line"],
            "disabled": False,
            "gone": "Request failed with status code 404",
        }
        client, upstream = line.pair()
        began = time.monotonic()
        upstream.send(b"a")
        client.take(1)
        assert time.monotonic() - began >= 0.3


def test_toxiproxy_python_drives_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create, find, add and destroy toxics, take down and up, populate, destroy: as its README does."""
    import toxiproxy
    from toxiproxy.api import APIConsumer
    from toxiproxy.exceptions import InvalidToxic

    monkeypatch.setattr(APIConsumer, "host", server.host)
    monkeypatch.setattr(APIConsumer, "port", server.port)
    client = toxiproxy.Toxiproxy()
    assert client.running()
    with Line.through(server) as line:
        proxy = client.get_proxy("line")
        proxy.add_toxic(type="limit_data", attributes={"bytes": 3})
        assert set(proxy.toxics()) == {"limit_data_downstream"}
        with pytest.raises(InvalidToxic):
            proxy.add_toxic(type="fog")
        near, far = line.pair()
        far.send(b"abcdef")
        assert near.rest()[:2] == (b"abc", "fin")
        assert proxy.destroy_toxic("limit_data_downstream")
        with proxy.down(), pytest.raises(ConnectionRefusedError):
            line.client()
        near, far = line.pair()
        far.send(b"back")
        assert near.take(4) == b"back"
        made = client.populate([{"name": "more", "upstream": "127.0.0.1:1"}])
        assert [one.name for one in made] == ["more"]
        assert client.destroy(made[0])
        assert client.reset()


def test_the_harness_drives_two_servers_at_once(server: Server, embedded: Server) -> None:
    """Host and port belong to each client, not to a class; errors name server, verb and path."""
    one, other = Toxiproxy(server.url), Toxiproxy(embedded.url)
    one.create("users->edge", "127.0.0.1:1")
    if server is not embedded:
        assert other.proxies() == {}
    assert list(one.proxies()) == ["users->edge"]
    with pytest.raises(ToxiproxyError, match=r"POST /proxies: .*proxy already exists"):
        one.create("users->edge", "127.0.0.1:1")
    with pytest.raises(ToxiproxyError, match=r"DELETE /proxies/elsewhere: .*proxy not found"):
        one.delete("elsewhere")
    one.delete("users->edge")
    with pytest.raises(ToxiproxyError, match="GET /version"):
        Toxiproxy("http://127.0.0.1:1").version()


def test_faults_on_links_tell_what_they_touched(server: Server) -> None:
    """At least the connection that was there; after the last fault is lifted the link is whole."""
    faults = LinkFaults(Toxiproxy(server.url))
    with Line.through(server) as line:
        client, upstream = line.pair()
        slow = faults.add("line", "latency", "downstream", {"latency": 20, "jitter": 0})
        twice = faults.add("line", "latency", "downstream", {"latency": 20, "jitter": 0})
        assert faults.faulty() == ["line"]
        upstream.send(b"abc")
        client.take(3)
        expected = Touched(1, 3) if server.kind == "embedded" else Touched(1, 0)
        assert slow.touched() == expected
        slow.remove()
        twice.remove()
        down, deeper = faults.down("line"), faults.down("line")
        assert client.rest().end == "fin"
        until(lambda: down.touched().connections == 1)
        down.remove()
        assert faults.faulty() == ["line"]
        deeper.remove()
        assert faults.faulty() == []
        line.pair()


def test_a_proxy_is_created_with_its_toxics_in_force(server: Server) -> None:
    """On any server: it opens when they are in place. Attributes change on open connections."""
    harness = Toxiproxy(server.url)
    with Line.through(server) as line:
        upstream = server.done("GET", "/proxies/line")["upstream"]
        line.listen = harness.create("second", upstream, toxics=[toxic("limit_data", bytes=2)])
        client, far = line.pair()
        far.send(b"abc")
        assert client.rest()[:2] == (b"ab", "fin")
        harness.update("second", "limit_data_downstream", {"bytes": 100}, toxicity=0.5)
        told = harness.proxies()["second"]["toxics"][0]
        assert (told["attributes"], told["toxicity"]) == ({"bytes": 100}, 0.5)
        harness.remove("second", "limit_data_downstream")
        harness.delete("second")
