"""Loads whose replies nobody judges: only that the follower ends equal to the leader."""

import random
import threading
import time

from client import BROKEN, Client, ErrorReply
from nodes import PATIENCE

DEPTH = 20
# Refusals that random commands may meet; any other error is a mistake of a node or of this file.
EXPECTED = {"WRONGTYPE", "OOM", "EXECABORT", "READONLY", "ERR no such key", "ERR index out of range",
            "LOADING", "UNKNOWN", "ERR source and destination objects are the same",
            "ERR value is not an integer or out of range"}


class Writer(threading.Thread):
    """Sends batches of whatever `commands()` makes until its end."""

    expected = EXPECTED

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node = node
        self.written = 0
        self.failed = None
        self.stubborn = False  # goes on when the node is gone for a while
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(PATIENCE)

    def commands(self):
        raise NotImplementedError

    def run(self):
        while not self.over.is_set() and self.failed is None:
            try:
                with Client(self.node.port, PATIENCE) as client:
                    self._talk(client)
            except BROKEN as problem:
                if not self.stubborn:
                    self.failed = f"{type(problem).__name__}: {problem}"
                time.sleep(0.02)

    def _talk(self, client):
        while not self.over.is_set() and self.failed is None:
            batch = self.commands()
            for command, reply in zip(batch, client.pipeline(batch)):
                self._judge(command, reply)
            self.written += len(batch)

    def _judge(self, command, reply):
        if isinstance(reply, ErrorReply) and not any(reply.startswith(one) for one in self.expected):
            self.failed = f"{' '.join(str(arg)[:60] for arg in command)} answers: {reply}"


class Flood(Writer):
    """Overwrites some keys with values of one size; so many bytes a second, or as fast as it can."""

    def __init__(self, node, keys, size, rate=None):
        super().__init__(node)
        self.keys, self.size, self.rate = keys, size, rate
        self.began = None

    def commands(self):
        self.began = self.began or time.monotonic()
        if self.rate:
            time.sleep(max(0, self.began + self.written * self.size / self.rate - time.monotonic()))
        return [["SET", f"flood:{(self.written + i) % self.keys}", f"{self.written + i}".ljust(self.size, ".")]
                for i in range(DEPTH)]


class Mess(Writer):
    """All that can change keys, in some databases, with lists that are long and keys that end soon."""

    def __init__(self, seed, node, keys=3000, flushes=True, databases=3, pause=0.0):
        super().__init__(node)
        self.random = random.Random(f"{seed}:mess")
        self.keys, self.flushes, self.databases, self.pause = keys, flushes, databases, pause

    def commands(self):
        batch = [["SELECT", self.random.randrange(self.databases)]]
        for _ in range(DEPTH):
            command = self._one()
            batch += [["MULTI"], command, self._one(), self._one(), ["EXEC"]] if self.random.random() < 0.1 else [command]
        time.sleep(self.pause)
        return batch

    def _key(self, kind=None):
        kind = kind or self.random.choice("sln")
        return f"{kind}:{int(self.keys * self.random.random() ** 2)}"

    def _value(self):
        size = self.random.choice([3, 20, 100, 100, 1000, 40000 if self.random.random() < 0.05 else 10])
        return f"{self.random.getrandbits(60):x}".ljust(size, "v")

    def _one(self):
        draw = self.random
        kind = draw.random()
        if kind < 0.30:
            return draw.choice([
                ["SET", self._key("s"), self._value()],
                ["SET", self._key("s"), self._value(), "PX", draw.randint(1, 300)],
                ["APPEND", self._key("s"), self._value()[:100]],
                ["SETRANGE", self._key("s"), draw.randint(0, 200), self._value()[:50]],
                ["MSET", self._key("s"), self._value(), self._key("s"), self._value()],
                ["INCRBY", self._key("n"), draw.randint(-5, 5)],
                ["GETDEL", self._key("s")],
                ["SETNX", self._key("s"), self._value()]])
        if kind < 0.70:
            return self._list(self._key("l"))
        if kind < 0.80:
            return draw.choice([["DEL", self._key(), self._key()], ["PEXPIRE", self._key(), draw.randint(1, 300)],
                                ["PERSIST", self._key()], ["UNLINK", self._key()], ["PEXPIRE", self._key(), 100000]])
        if kind < 0.97:
            one = draw.choice("sl")
            source, target = self._key(one), self._key(one)
            return draw.choice([["RENAME", source, target], ["COPY", source, target, "REPLACE"],
                                ["RENAMENX", source, target], ["LMOVE", self._key("l"), self._key("l"), "LEFT", "RIGHT"],
                                ["COPY", source, target, "DB", draw.randrange(self.databases), "REPLACE"],
                                ["MOVE", source, draw.randrange(self.databases)]])
        if kind < 0.9996 or not self.flushes:
            return ["SWAPDB", draw.randrange(self.databases), draw.randrange(self.databases)]
        return draw.choice([["FLUSHDB"], ["FLUSHDB"], ["FLUSHALL"], ["FLUSHALL", "ASYNC"]])

    def _list(self, key):
        draw = self.random
        some = [self._value()[:200] for _ in range(draw.randint(1, 5))]
        return draw.choice([
            ["RPUSH", key, *some], ["LPUSH", key, *some], ["RPUSH", key, *range(30)], ["LPOP", key],
            ["RPOP", key, draw.randint(0, 3)], ["LSET", key, draw.randint(-3, 10), some[0]],
            ["LTRIM", key, draw.randint(0, 5), -draw.randint(1, 5)], ["LINSERT", key, "BEFORE", draw.randint(0, 29), "in"],
            ["LREM", key, draw.randint(-2, 2), draw.randint(0, 29)]])


class LongList(Writer):
    """Changes one long list at both ends and within."""

    def __init__(self, seed, node, key):
        super().__init__(node)
        self.random = random.Random(f"{seed}:long")
        self.key = key

    @staticmethod
    def fill(node, key, size, length=0):
        """So many elements, padded to `length` bytes."""
        with Client(node.port, PATIENCE) as client:
            step = 2000
            for start in range(0, size, step):
                client.command("RPUSH", key, *(f"element-{i}".ljust(length, ".") for i in range(start, min(size, start + step))))

    def commands(self):
        return [self._one() for _ in range(DEPTH)]

    def _one(self):
        draw, key = self.random, self.key
        at, text = draw.randint(0, 90000), f"new-{draw.getrandbits(40):x}"
        return draw.choice([["RPUSH", key, text, text, 7], ["LPUSH", key, text], ["LPOP", key], ["RPOP", key, 3],
                            ["LSET", key, at, text], ["LSET", key, -at - 1, text * draw.randint(1, 20)],
                            ["LTRIM", key, 1, -2], ["LINSERT", key, "AFTER", f"element-{draw.randint(0, 300)}", text],
                            ["LREM", key, 1, f"element-{draw.randint(0, 300)}"]])


class LargeValues(Writer):
    """A few strings and lists with values of megabytes, in groups too."""

    def __init__(self, seed, node, most=6 << 20):
        super().__init__(node)
        self.random = random.Random(f"{seed}:large")
        self.most = most

    def commands(self):
        time.sleep(0.01)
        one = [self._one()]
        return one if self.random.random() < 0.7 else [["MULTI"], *one, self._one(), ["EXEC"]]

    def _one(self):
        draw = self.random
        key = f"large:{draw.randrange(6)}"
        value = f"{draw.getrandbits(60):x}" * (int(self.most * draw.random() ** 3) // 15 + 1)
        return draw.choice([["SET", key, value], ["SET", key, value], ["APPEND", key, value[:300000]],
                            ["SETRANGE", key, draw.randrange(1000), value[:1000]], ["RPUSH", f"{key}:list", value, "small"],
                            ["LTRIM", f"{key}:list", -6, -1], ["RENAME", key, f"large:{draw.randrange(6)}"],
                            ["COPY", key, f"large:{draw.randrange(6)}", "REPLACE"], ["SET", key, "small"]])


class WideGroups(Writer):
    """Sets all of many keys to one value, by MSET or in MULTI/EXEC."""

    def __init__(self, node, width=200):
        super().__init__(node)
        self.keys = [f"wide:{i}" for i in range(width)]

    def commands(self):
        value = str(self.written)
        if self.written % 20:
            return [["MSET", *(word for key in self.keys for word in (key, value))]] * 2
        return [["MULTI"], *(["SET", key, value] for key in self.keys), ["EXEC"]]

    def seen_by(self, client):
        """What one read of all keys finds, by MGET or in MULTI/EXEC; nothing while it is refused."""
        if self.written % 2:
            reply = client.command("MGET", *self.keys)
        else:
            reply = client.pipeline([["MULTI"], *(["GET", key] for key in self.keys), ["EXEC"]])[-1]
        return set() if isinstance(reply, ErrorReply) else set(reply)
