"""The smallest dialect: lines of text. It tests the server without any vendor's format.

A body is `{"lines": ["user: …", "result: …"]}`; a reply streams `text: …`, `call: …`, `end`.
"""

from collections.abc import Iterator

from abreast.loopback.dialect import Answer, Message, Reply, Request


class Plain:
    name = "plain"

    def recognises(self, request: Request) -> bool:
        return request.path.startswith("/plain")

    def aside(self, request: Request) -> Answer | None:
        return Answer(body=b'{"count": 3}') if request.path == "/plain/count" else None

    def conversation(self, request: Request) -> list[Message]:
        pairs = (line.split(": ", 1) for line in request.body["lines"])
        return [Message(role, text) for role, text in pairs]

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        yield f"number: {reply.number} {reply.model} {reply.spend.input_tokens}\n".encode()
        yield f"text: {reply.text}\n".encode()
        yield f"call: {reply.call}\n".encode()
        yield b"end\n"

    def error(self, status: int, message: str, code: str) -> Answer:
        return Answer(status, body=f'{{"error": "{message}", "code": "{code}"}}'.encode())


DIALECT = Plain()
