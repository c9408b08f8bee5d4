"""A client with replies as Python values, on top of the one that tests/compat has."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "compat"))

from resp import Closed, Connection, NotResp, ReplyTimeout, decode, encode  # noqa: E402

# The server may or may not have executed what was sent and not answered.
BROKEN = (Closed, ReplyTimeout, NotResp, OSError)


class ErrorReply(str):
    """An error that the server answered: code, blank, text."""

    @property
    def code(self):
        return self.split(" ", 1)[0]


def value_of(raw):
    """A reply as int, bytes, None, list, str (a status) or ErrorReply."""
    return _convert(decode(raw), raw[:1] in b"$=")


def _convert(value, bulk=False):
    if isinstance(value, list):
        return [_item(item) for item in value]
    return value if bulk or value is None else _line(value)


def _item(item):
    """Within an array a line still has its type; data of these tests never begin with one of these signs."""
    if isinstance(item, list):
        return [_item(one) for one in item]
    return _line(item) if item is not None and item[:1] in (b"+", b"-", b":") else item


def _line(line):
    kind, text = line[:1], line[1:]
    if kind == b":":
        return int(text)
    return ErrorReply(text.decode()) if kind == b"-" else text.decode()


def to_bytes(args):
    return [arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]


class Client:
    """A connection. Calls raise one of BROKEN when it is of no use any more."""

    def __init__(self, port, timeout=10.0, host="127.0.0.1"):
        self.connection = Connection(port, timeout, host)

    def send(self, commands):
        self.connection.send(b"".join(encode(to_bytes(command)) for command in commands))

    def receive(self):
        return value_of(self.connection.read_reply())

    def command(self, *args):
        self.send([args])
        return self.receive()

    def pipeline(self, commands):
        self.send(commands)
        return [value_of(raw) for raw in self.connection.read_replies(len(commands))]

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
