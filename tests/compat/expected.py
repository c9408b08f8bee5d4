"""Expected replies of documented.txt: a short notation that is written in RESP2 or RESP3.

    +OK   :1   -ERR text to the end of the line   "bulk"   nil   [ "a" :1 nil ]   { "field" "value" }
"""

from quoting import QuotingError, one_arg


def parse(text):
    """A tree of (kind, value)."""
    if text.startswith("-"):
        return ("line", text.encode())
    data = text.encode()
    node, at = _node(data, 0)
    if data[at:].strip():
        raise QuotingError("more than one value")
    return node


def _node(data, at):
    while data[at : at + 1] == b" ":
        at += 1
    char = data[at : at + 1]
    if char in (b"[", b"{"):
        return _items(data, at + 1, b"]" if char == b"[" else b"}")
    word, end = one_arg(data, at)
    if char in (b'"', b"'"):
        return ("bulk", word), end
    if word == b"nil":
        return ("nil", None), end
    if char in (b"+", b":"):
        return ("line", word), end
    raise QuotingError(f"no reply notation: {word!r}")


def _items(data, at, close):
    items = []
    while True:
        while data[at : at + 1] == b" ":
            at += 1
        if at >= len(data):
            raise QuotingError("an open bracket")
        if data[at : at + 1] == close:
            return ("array" if close == b"]" else "map", items), at + 1
        item, at = _node(data, at)
        items.append(item)


def render(node, resp):
    """The raw reply."""
    kind, value = node
    if kind == "line":
        return value + b"\r\n"
    if kind == "bulk":
        return b"$%d\r\n%b\r\n" % (len(value), value)
    if kind == "nil":
        return b"_\r\n" if resp == 3 else b"$-1\r\n"
    if kind == "map" and resp == 3:
        head = b"%%%d\r\n" % (len(value) // 2)
    else:
        head = b"*%d\r\n" % len(value)
    return head + b"".join(render(item, resp) for item in value)
