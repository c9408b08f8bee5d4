"""A RESP client that keeps replies as the raw bytes they came as."""

import socket
import time


class ReplyTimeout(Exception):
    """No complete reply in time; `partial` is what came."""

    def __init__(self, partial):
        super().__init__(f"no complete reply in time, have {partial[:200]!r}")
        self.partial = partial


class Closed(Exception):
    """The peer closed the connection; `partial` is what came before."""

    def __init__(self, partial=b""):
        super().__init__(f"connection closed, had {partial[:200]!r}")
        self.partial = partial


class NotResp(Exception):
    """The bytes are no RESP reply."""


def encode(args):
    """A command as RESP array of bulk strings."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        parts.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(parts)


_LINE, _BULK, _AGGREGATE = b"+-:_,#(", b"$=!", {42: 1, 126: 1, 62: 1, 37: 2, 124: 2}  # * ~ > and % |


def frame_end(data, at):
    """Where the reply starting at `at` ends, or -1 while it is incomplete. RESP2 and RESP3."""
    open_items = 1
    size = len(data)
    while open_items:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return -1
        kind = data[at]
        if kind in _BULK:
            length = _length(data, at, line_end)
            at = line_end + 2 if length < 0 else line_end + 4 + length
            if at > size:
                return -1
        elif kind in _AGGREGATE:
            open_items += max(_length(data, at, line_end), 0) * _AGGREGATE[kind]
            open_items += kind == 124  # an attribute stands before the reply it describes
            at = line_end + 2
        elif kind in _LINE:
            at = line_end + 2
        else:
            raise NotResp(bytes(data[at : at + 80]))
        open_items -= 1
    return at


def _length(data, at, line_end):
    try:
        return int(data[at + 1 : line_end])
    except ValueError:
        raise NotResp(bytes(data[at : at + 80])) from None


class Connection:
    def __init__(self, port, timeout=10.0, host="127.0.0.1"):
        self.timeout = timeout
        self.buffer = bytearray()
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise ReplyTimeout(bytes(self.buffer)) from None
        except OSError:
            pass  # what the peer said before it closed is read next

    def read_reply(self, timeout=None):
        """The raw bytes of the next reply."""
        return self.read_replies(1, timeout)[0]

    def read_replies(self, count, timeout=None):
        """Raw bytes of the next `count` replies; a failure carries those that came before it as `replies`."""
        deadline = time.monotonic() + (timeout or self.timeout)
        replies, at = [], 0
        try:
            while len(replies) < count:
                end = frame_end(self.buffer, at)
                if end < 0:
                    del self.buffer[:at]
                    at = 0
                    self._fill(deadline)
                    continue
                replies.append(bytes(self.buffer[at:end]))
                at = end
        except (Closed, ReplyTimeout, NotResp) as failure:
            failure.replies = replies
            raise
        del self.buffer[:at]
        return replies

    def command(self, *args, timeout=None):
        self.send(encode([a.encode() if isinstance(a, str) else a for a in args]))
        return self.read_reply(timeout)

    def pipeline(self, commands):
        self.send(b"".join(map(encode, commands)))
        return self.read_replies(len(commands))

    def wait_closed(self, timeout=None):
        """True once the peer has closed and nothing unread is left; False if it is still open or said more."""
        if self.buffer:
            return False
        try:
            self._fill(time.monotonic() + (timeout or self.timeout))
        except Closed:
            return True
        except ReplyTimeout:
            pass
        return False

    def unread(self):
        """Bytes nobody asked for that are here already."""
        self.socket.setblocking(False)
        try:
            self.buffer += self.socket.recv(65536)
        except OSError:
            pass
        return bytes(self.buffer)

    def close(self):
        self.socket.close()

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise ReplyTimeout(bytes(self.buffer))
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(262144)
        except TimeoutError:
            raise ReplyTimeout(bytes(self.buffer)) from None
        except OSError:
            data = b""
        if not data:
            raise Closed(bytes(self.buffer))
        self.buffer += data


class Set(list):
    """A RESP3 set."""


def decode(raw):
    """A reply as Python values: arrays as lists, sets as Set, maps as lists of pairs, the rest as its raw line or bytes."""
    value, _ = _decode(raw, 0)
    return value


def _decode(raw, at):
    line_end = raw.find(b"\r\n", at)
    kind = raw[at]
    if kind in _BULK:
        length = int(raw[at + 1 : line_end])
        if length < 0:
            return None, line_end + 2
        return raw[line_end + 2 : line_end + 2 + length], line_end + 4 + length
    if kind not in _AGGREGATE:
        return (None if kind == ord("_") else raw[at:line_end]), line_end + 2
    count, at = int(raw[at + 1 : line_end]), line_end + 2
    if count < 0:
        return None, at
    items = []
    for _ in range(count * _AGGREGATE[kind]):
        item, at = _decode(raw, at)
        items.append(item)
    if kind == ord("~"):
        items = Set(items)
    if _AGGREGATE[kind] == 2:
        items = list(zip(items[::2], items[1::2]))
    return items, at
