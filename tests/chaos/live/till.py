"""A shop of a few lines that answers whatever people ask over HTTP, and can be made to stall: for tests of load."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class TinyShop:
    """Platform and channel in one. Every answer given in the `stall_s` seconds after the n-th order waits them out."""

    def __init__(self, *, stall_after: int = 0, stall_s: float = 0.0) -> None:
        self.orders: list[dict[str, Any]] = []
        self._stall_after, self._stall_s = stall_after, stall_s
        self._until_s = 0.0
        self._lock = threading.Lock()
        shop = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(200, {"status": "completed", "balance_fen": 0})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(200, {"paid_fen": 1} if self.path == "/pay" else shop.placed(body))

            def _answer(self, status: int, document: dict[str, Any]) -> None:
                shop.wait()
                raw = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def placed(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            number = len(self.orders)
            self.orders.append(body)
            if self._stall_s and number == self._stall_after:
                self._until_s = time.monotonic() + self._stall_s
        charge_no = "" if body["pay_with"] == "wallet" else f"c{number}"
        return {
            "order_id": f"o{number}",
            "charge_no": charge_no,
            "channel": body["pay_with"],
            "payable_fen": 1,
        }

    def wait(self) -> None:
        time.sleep(max(0.0, self._until_s - time.monotonic()))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
