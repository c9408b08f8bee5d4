"""The format of cases/*.txt and documented.txt, as README.md describes it."""

import dataclasses
import pathlib
import re

import compare
import expected
from quoting import QuotingError, first_arg, split_args

COMMAND, RAW, READ, CLOSED, WAIT = "command", "raw", "read", "closed", "wait"


@dataclasses.dataclass
class Step:
    line: int
    text: str
    kind: str
    connection: str = "1"
    args: list = dataclasses.field(default_factory=list)
    replies: int = 1  # how many to read
    comparator: compare.Comparator = compare.EXACT
    save: str = ""  # variable that takes the reply's payload
    expect: object = None  # documented.txt: what our reply must be
    wait_ms: int = 0


@dataclasses.dataclass
class Block:
    file: str
    line: int
    title: str
    resp: tuple = (2, 3)
    config: list = dataclasses.field(default_factory=list)
    source: str = ""
    steps: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return f"{self.file}/{self.title}"


class CaseError(Exception):
    pass


def load(path):
    """The blocks of a file."""
    path = pathlib.Path(path)
    return parse(path.read_text(), path.stem)


def parse(text, name):
    blocks = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            _take_line(blocks, name, number, line.strip())
        except (QuotingError, ValueError, IndexError, re.error) as problem:
            raise CaseError(f"{name}.txt:{number}: {problem}: {line}") from None
    return blocks


def _take_line(blocks, file, number, line):
    if line.startswith("#wait-ms "):
        blocks[-1].steps.append(Step(number, line, WAIT, wait_ms=int(line.split()[1])))
    elif not line or line.startswith("#"):
        return
    elif line.startswith("=== "):
        blocks.append(Block(file, number, line[4:].strip()))
    elif line.startswith("%"):
        _directive(blocks[-1], line[1:])
    elif line.startswith("= "):
        blocks[-1].steps[-1].expect = expected.parse(line[2:])
    else:
        blocks[-1].steps.append(_step(number, line))


def _directive(block, line):
    word, rest = line.split(None, 1)
    if word == "resp":
        block.resp = (int(rest),)
    elif word == "config":
        name, value = split_args(rest)
        block.config.append((name, value))
    elif word == "source":
        block.source = rest
    else:
        raise ValueError(f"unknown directive %{word}")


def _step(number, line):
    step = Step(number, line, COMMAND)
    rest = line
    if rest.startswith("@"):
        step.connection, _, rest = rest[1:].partition(" ")
    while rest.startswith("~"):
        word, _, rest = rest[1:].partition(" ")
        rest = _annotate(step, word, rest.lstrip())
    if rest.startswith(">"):
        count, _, rest = rest[1:].partition(" ")
        step.kind, step.replies = RAW, int(count or "1")
    elif rest == "<":
        step.kind, rest = READ, ""
    step.args = split_args(rest)
    if step.kind == COMMAND and not step.args:
        raise ValueError("no command")
    return step


def _annotate(step, word, rest):
    """Takes one ~annotation; returns what is left of the line."""
    if word == "send":
        step.replies = 0
    elif word == "closed":
        step.kind = CLOSED
    elif word == "save":
        step.save, _, rest = rest.partition(" ")
    else:
        argument = b""
        if word in compare.TAKES_ARGUMENT:
            argument, rest = first_arg(rest)
        step.comparator = compare.named(word, argument)
    return rest


_PLACE = re.compile(rb"\{(now|ms)([+-]\d+)?\}|\{repeat:([^{}]+?):(\d+)\}|\{\$(\w+)\}")


def expand(arg, now, variables):
    """{now+10} and {ms-5}: Unix time; {repeat:ab:3}: ababab; {$id}: a saved reply."""

    def fill(match):
        unit, offset, text, times, name = match.groups()
        if unit:
            return b"%d" % (int(now * (1 if unit == b"now" else 1000)) + int(offset or 0))
        if text is not None:
            return text * int(times)
        return variables[name.decode()]

    return _PLACE.sub(fill, arg) if b"{" in arg else arg


def load_pending(path):
    """Name -> reason of the blocks that cannot agree yet."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)
