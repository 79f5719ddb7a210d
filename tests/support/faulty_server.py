"""A server between a client and an S3 server, that does what networks do."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce</Message></Error>"


class FaultyServer:
    """Passes requests on, but for planted faults.

    Attributes
    ----------
    faults : dict of str to list of str
        For the end of a path, what to do with its next requests: ``slow`` (503 SlowDown), ``cut``
        (close the connection half-way) or ``reset`` (close it before an answer).
    asked : list of (str, str or None)
        Path and Range of every request.
    """

    def __init__(self, host: str, port: int):
        self.faults: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Range")))
                planted = next((v for k, v in outer.faults.items() if self.path.endswith(k)), [])
                fault = planted.pop(0) if planted else None
                if fault == "reset":
                    self.close_connection = True
                    return
                if fault == "slow":
                    self.answer(503, {"Content-Length": str(len(SLOW_DOWN))}, SLOW_DOWN)
                    return
                upstream = http.client.HTTPConnection(host, port, timeout=30)
                upstream.request("GET", self.path, headers=dict(self.headers))
                got = upstream.getresponse()
                body = got.read()
                headers = {k: v for k, v in got.getheaders() if k.lower() != "transfer-encoding"}
                headers["Content-Length"] = str(len(body))
                if fault == "cut":
                    body = body[: len(body) // 2]
                    self.close_connection = True
                self.answer(got.status, headers, body)

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("server", "date"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
