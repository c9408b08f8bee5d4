"""What clients did and saw: the records that checkers judge."""

import collections
import dataclasses
import math

NEVER = math.inf  # the end of an operation whose outcome is unknown: it may still take effect


@dataclasses.dataclass(slots=True)
class Op:
    """One operation of one client. Times are of one monotonic clock."""

    kind: str  # set, get, incr, push, group (writes all keys of a group), look (reads them)
    key: str
    value: object  # written, or seen; of incr: the reply, None if unknown; of look: a tuple
    start: float
    end: float
    client: str = ""
    connection: int = 0  # operations of one connection take effect in the order they are listed
    confirmed: bool = False  # WAIT has told that a replica has it

    @property
    def known(self):
        return self.end != NEVER


class History:
    """Filled by many threads, judged once they have ended."""

    def __init__(self):
        self.ops = []
        self.refusals = collections.Counter()  # replies that say that nothing was done
        self.surprises = []  # replies that no client should ever see
        self.looks = []  # reads of groups from followers

    def by_key(self, *kinds):
        found = collections.defaultdict(list)
        for op in self.ops:
            if op.kind in kinds:
                found[op.key].append(op)
        return found

    def acknowledged(self):
        return sum(op.known for op in self.ops)

    def unknown(self):
        return sum(not op.known for op in self.ops)


@dataclasses.dataclass
class Snapshot:
    """All that the keys of a load hold."""

    registers: dict = dataclasses.field(default_factory=dict)
    counters: dict = dataclasses.field(default_factory=dict)
    lists: dict = dataclasses.field(default_factory=dict)
    groups: dict = dataclasses.field(default_factory=dict)  # name -> tuple
