"""Sends the random stream to both servers and compares replies and, now and then, the whole key space."""

import compare
from arguments import DATABASES, KEYS
from generate import NEAR_MILLISECONDS, Generator
from quoting import escape, join_args
from report import reply_lines
from resp import Closed, Connection, NotResp, ReplyTimeout, decode, encode

BATCH = 50
CONNECTIONS = 3
CHECK_EVERY = 2000
SHOWN_HISTORY = 12
_NAMED_KEYS = set(KEYS) - {b""}
_EVERYWHERE = {b"FLUSHALL", b"FLUSHDB", b"SWAPDB"}
_OF_CONNECTION = {b"MULTI", b"EXEC", b"DISCARD", b"SELECT", b"RESET"}
_COMPARATORS = {b"PEXPIRETIME": NEAR_MILLISECONDS, b"OBJECT ENCODING": compare.ENCODING}
FAILURES = (OSError, Closed, ReplyTimeout, NotResp)


class RandomRun:
    def __init__(self, ours, theirs, report, repeat_with, seed, resp):
        self.servers = (ours, theirs)
        self.report = report
        self.names = (ours.name, theirs.name)
        self.seed = seed
        self.resp = resp
        self.repeat_with = repeat_with
        self.timeout = 10.0
        self.generator = Generator(seed)
        self.position = 0
        self.history = []  # (position, connection, args) since the key space was last equal
        self.connections = {}

    def run(self, count):
        self._start_over()
        next_check = CHECK_EVERY
        while self.position < count:
            name = self.generator.pick.rng.randrange(CONNECTIONS)
            same = self._batch(name, self._draw(name, min(BATCH, count - self.position)))
            if same and (self.position >= next_check or self.position >= count):
                next_check += CHECK_EVERY
                same = self._compare_key_space()
            if not same:
                self._start_over()
        self._close()

    def _draw(self, name, wanted):
        commands = []
        while len(commands) < wanted:
            commands += self.generator.next(name)
        return commands

    def _batch(self, name, commands):
        data = b"".join(encode(args) for args, _ in commands)
        got = []
        for server in self.servers:
            connection = self._connection(server, name)
            if connection is not None:
                connection.send(data)
        for server in self.servers:
            got.append(self._read(self._connection(server, name), len(commands)))
        return self._judge(name, commands, *got)

    def _read(self, connection, count):
        if connection is None:
            return ["(cannot connect)"]
        try:
            return connection.read_replies(count)
        except FAILURES as problem:
            return [*getattr(problem, "replies", []), f"({problem})"]

    def _judge(self, name, commands, ours, theirs):
        for (args, comparator), mine, other in zip(commands, ours, theirs):
            self.position += 1
            self.history.append((self.position, name, args))
            if isinstance(mine, str) or isinstance(other, str) or not comparator.same(mine, other):
                self._differ(f"position {self.position}", name, args, reply_lines(mine, other, self.names))
                self.position += len(commands) - min(len(ours), len(theirs))
                return False
            self.report.ok()
        return True

    def _connection(self, server, name):
        key = (server.name, name)
        if key not in self.connections:
            try:
                connection = Connection(server.port, self.timeout)
                if self.resp == 3:
                    connection.command("HELLO", "3")
            except FAILURES:
                connection = None
            self.connections[key] = connection
        return self.connections[key]

    def _differ(self, where, name, args, lines):
        before = [h for h in self.history if h[2] is not args and _bears_on(args, name, h)]
        shown = [f"before:  #{at} @{conn} {join_args(a, 120)}" for at, conn, a in before[-SHOWN_HISTORY:]]
        self.report.difference(
            f"random seed {self.seed}, {where}, connection {name}, RESP{self.resp}",
            [*shown, f"command: {join_args(args)}", *lines],
            f"{self.repeat_with} --only random --seed {self.seed} --random {self.position + BATCH} --resp {self.resp}")

    def _compare_key_space(self):
        """Every database: the keys, and each key's type, value, expiry and encoding."""
        spaces = []
        for server in self.servers:
            try:
                spaces.append(_key_space(server))
            except FAILURES as problem:
                spaces.append({("key space", b"", b""): f"({problem})"})
        mine, other = spaces
        same = True
        for place in sorted(set(mine) | set(other), key=repr):
            a, b = mine.get(place, "(no such key)"), other.get(place, "(no such key)")
            comparator = _COMPARATORS.get(place[2], compare.EXACT)
            if isinstance(a, str) or isinstance(b, str) or not comparator.same(a, b):
                self._differ(f"key space after {self.position} commands, database {place[0]}", "control", [place[2], place[1]], reply_lines(a, b, self.names))
                same = False
            else:
                self.report.ok()
        self.history.clear()
        return same

    def _start_over(self):
        """Fresh connections and empty databases, whatever state a difference left."""
        self._close()
        self.generator.forget_connections()
        self.history.clear()
        for server in self.servers:
            ended = server.ensure_alive()
            if ended:
                self.report.difference(f"random seed {self.seed}, before position {self.position}", ended.splitlines(), self.repeat_with)
            connection = Connection(server.port, self.timeout)
            connection.command("FLUSHALL")
            connection.close()

    def _close(self):
        for connection in self.connections.values():
            if connection is not None:
                connection.close()
        self.connections.clear()


def _bears_on(args, name, earlier):
    """Whether a command of the history may explain the reply to `args`: a key in common, or the connection's state."""
    _, connection, other = earlier
    word = other[0].upper()
    if word in _EVERYWHERE or connection == name and word in _OF_CONNECTION:
        return True
    return bool((set(args[1:]) & _NAMED_KEYS & set(other[1:])) or args[1:2] == other[1:2] != [])


def _key_space(server):
    """(database, key, command) -> raw reply."""
    space = {}
    control = Connection(server.port)
    try:
        for database in range(DATABASES):
            control.command("SELECT", str(database))
            keys = decode(control.command("KEYS", "*"))
            if not isinstance(keys, list):
                raise NotResp(f"KEYS answers {escape(repr(keys).encode())}".encode())
            asked = [(key, words) for key in sorted(keys) for words in (b"TYPE", b"GET", b"LRANGE", b"PEXPIRETIME", b"OBJECT ENCODING")]
            replies = control.pipeline([[*words.split(), key, *([b"0", b"-1"] if words == b"LRANGE" else [])] for key, words in asked])
            for (key, words), reply in zip(asked, replies):
                space[database, key, words] = reply
    finally:
        control.close()
    return space
