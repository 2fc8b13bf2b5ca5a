"""An HTTP proxy on loopback that fails requests when it is told to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Verdict = int | None  # the status to answer with, 0 to cut the connection; None to pass the request on
_HOP = {"connection", "transfer-encoding", "keep-alive"}


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `target`, a port on loopback, unless `judge` says otherwise."""

    daemon_threads = True

    def __init__(self, target: int, judge: Callable[[int, str, str], Verdict]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self._judge = target, judge
        self._count, self._lock = 0, threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_port

    @property
    def requests(self) -> int:
        """How many requests it has seen."""
        return self._count

    def verdict(self, method: str, path: str) -> Verdict:
        """What to do with this request; `judge` is given its number, from 0."""
        with self._lock:
            number, self._count = self._count, self._count + 1
        return self._judge(number, method, path)


@contextmanager
def proxy(target: int, judge: Callable[[int, str, str], Verdict]) -> Iterator[Proxy]:
    """A proxy that runs while the body does."""
    server = Proxy(target, judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        match self.server.verdict(self.command, self.path):
            case None:
                self._pass_on(body)
            case 0:
                self.close_connection = True
            case status:
                self._answer(status, [], b"<Error><Code>SlowDown</Code></Error>")

    def _pass_on(self, body: bytes) -> None:
        connection = HTTPConnection("127.0.0.1", self.server.target)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        for name, value in headers:
            if name.lower() not in _HOP | {"content-length"}:
                self.send_header(name, value)
        self.send_header(
            "Content-Length", lengths[0] if self.command == "HEAD" and lengths else str(len(body))
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
