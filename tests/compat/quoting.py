"""redis-cli's quoting: one line of text <-> a list of byte arguments."""

_ESCAPES = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_HEX = b"0123456789abcdefABCDEF"


class QuotingError(ValueError):
    pass


def split_args(line):
    """Arguments of a line. Double quotes take \\xHH, \\n, \\r, \\t, \\b, \\a and \\c for any other c; single quotes only \\'."""
    text = line.encode() if isinstance(line, str) else line
    args, at = [], 0
    while True:
        while at < len(text) and text[at] in b" \t\r\n":
            at += 1
        if at >= len(text):
            return args
        arg, at = one_arg(text, at)
        args.append(arg)


def first_arg(line):
    """The first argument and the rest of the line as text."""
    text = line.lstrip(" \t").encode()
    if not text:
        raise QuotingError("an argument is missing")
    arg, at = one_arg(text, 0)
    return arg, text[at:].decode().lstrip(" \t")


def one_arg(text, at):
    if text[at] == ord('"'):
        return _double(text, at + 1)
    if text[at] == ord("'"):
        return _single(text, at + 1)
    start = at
    while at < len(text) and text[at] not in b" \t\r\n":
        at += 1
    return text[start:at], at


def _double(text, at):
    out = bytearray()
    while at < len(text):
        char = text[at]
        if char == ord('"'):
            return bytes(out), at + 1
        if char == ord("\\") and text[at + 1 : at + 2] == b"x" and all(c in _HEX for c in text[at + 2 : at + 4]):
            out.append(int(text[at + 2 : at + 4], 16))
            at += 4
        elif char == ord("\\") and at + 1 < len(text):
            out.append(_ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            out.append(char)
            at += 1
    raise QuotingError("an open double quote")


def _single(text, at):
    out = bytearray()
    while at < len(text):
        if text[at] == ord("'"):
            return bytes(out), at + 1
        if text[at : at + 2] == b"\\'":
            at += 1
        out.append(text[at])
        at += 1
    raise QuotingError("an open single quote")


_SHOWN = {10: "\\n", 13: "\\r", 9: "\\t", 34: '\\"', 92: "\\\\"}


def escape(data, limit=2000):
    """Bytes as printable ASCII, cut after `limit` bytes."""
    shown = "".join(_SHOWN.get(c) or (chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in data[:limit])
    return shown if len(data) <= limit else f"{shown}... ({len(data)} bytes)"


def quote(arg):
    """One argument such that split_args() reads it back."""
    if arg and all(33 <= c < 127 and c not in b"\"'\\" for c in arg):
        return arg.decode()
    return f'"{escape(arg, limit=1 << 30)}"'


def join_args(args, limit=400):
    """A command line; an argument longer than `limit` is cut."""
    return " ".join(quote(a) if len(a) <= limit else f'"{escape(a, 60)}"' for a in args)
