"""HTTP as the CLIs speak it: requests read whole, answers sent whole or streamed, no thread left.

Clients keep connections alive, send chunked or compressed bodies, and use a server as a proxy.
"""

import contextlib
import gzip
import logging
import socket
import threading
import zlib
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from abreast.loopback.dialect import Answer

_LOG = logging.getLogger(__name__)


class Server(ThreadingMixIn, HTTPServer):
    """An HTTP server on 127.0.0.1 whose threads all end with `end`.

    `respond` is called in a connection's own thread for each request.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: "Callable[[RequestHandler], None]") -> None:
        self.respond = respond
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), RequestHandler)
        self._loop = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="loopback", daemon=True
        )

    def server_bind(self) -> None:
        # HTTPServer asks the resolver for the name of 127.0.0.1, which can take seconds.
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def start(self) -> None:
        self._loop.start()

    def end(self) -> None:
        """Close every connection and wait for every thread. May be called again."""
        self.shutdown()
        with self._lock:
            threads = dict(self._open)
        for connection in threads.values():
            _shut(connection)
        for thread in (self._loop, *threads):
            thread.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        # Not the mixin's own: it forgets its daemon threads, and its other threads wait for
        # clients that keep an idle connection.
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name="loopback-client", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - inherited
        _LOG.exception("a request could not be answered")


class RequestHandler(BaseHTTPRequestHandler):
    """One client's connection. Public fields describe the request at hand."""

    protocol_version = "HTTP/1.1"
    server_version = "abreast-loopback"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Server

    foreign: str  # "host:port" when the client wants another host; else empty
    target: str  # the path without the query
    query: str
    content: bytes

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client has left
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def _respond(self) -> None:
        self._locate()
        self.content = b"" if self.foreign else self._read()
        self.server.respond(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815
    do_CONNECT = _respond  # noqa: N815

    def _locate(self) -> None:
        """Return where a request goes; local ones that come through a proxy are ours."""
        parts = urlsplit(self.path)
        if self.command == "CONNECT":
            self.foreign, self.target, self.query = self.path, self.path, ""
            return
        own = {f"{host}:{self.server.server_port}" for host in ("127.0.0.1", "localhost")}
        away = parts.scheme != "" and parts.netloc not in own
        default = 443 if parts.scheme == "https" else 80
        self.foreign = f"{parts.hostname}:{parts.port or default}" if away else ""
        self.target, self.query = parts.path or "/", parts.query

    def _read(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            content = b"".join(self._chunks())
        else:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
        coding = self.headers.get("content-encoding", "").lower()
        if coding == "gzip":
            return gzip.decompress(content)
        return zlib.decompress(content) if coding == "deflate" else content

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers

    def answer(self, answer: Answer, *, close: bool = False) -> None:
        """Send a whole answer; with `close`, end the connection after it."""
        self.send_response(answer.status)
        names = {name.lower() for name in answer.headers}
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "content-type" not in names and answer.body:
            self.send_header("Content-Type", "application/json")
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def open_stream(self, identity: str) -> None:
        """Send the head of an event stream: chunked, or up to the close for HTTP/1.0 clients."""
        self.send_response(200)
        self.send_header("Request-Id", identity)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        if self._chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
        self.end_headers()

    def write_chunk(self, data: bytes) -> None:
        if data:  # an empty chunk would end the stream
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def close_stream(self) -> None:
        if self._chunked:
            self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection as it stands, in the middle of an answer or before any."""
        self.close_connection = True
        _shut(self.connection)

    @property
    def _chunked(self) -> bool:
        return self.request_version != "HTTP/1.0"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - inherited
        _LOG.debug(format, *args)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
