"""Runs blocks of hand-written cases against one or two servers."""

import time

import casefile
import compare
import expected
from quoting import escape
from report import reply_lines
from resp import Closed, Connection, NotResp, ReplyTimeout, decode, encode

REPLY_TIMEOUT = 5.0
NO_ERROR = compare.matching(rb"^[^-!]")  # for lines of documented.txt without a written reply


class Side:
    """One server while a block runs: its connections and saved variables."""

    def __init__(self, server, resp):
        self.server = server
        self.resp = resp
        self.variables = {}
        self.connections = {}
        self.saved_config = []
        self.control = Connection(server.port, REPLY_TIMEOUT)

    def prepare(self, config):
        self.control.command("FLUSHALL")
        self.control.command("SELECT", "0")
        for name, value in config:
            old = decode(self.control.command("CONFIG", "GET", name))
            if old:
                self.saved_config.append((name, old[1]))
            self.control.command("CONFIG", "SET", name, value)

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = Connection(self.server.port, REPLY_TIMEOUT)
            if self.resp == 3:
                self.connections[name].command("HELLO", "3")
        return self.connections[name]

    def finish(self):
        for connection in self.connections.values():
            connection.close()
        try:
            for name, value in reversed(self.saved_config):
                self.control.command("CONFIG", "SET", name, value)
        except (Closed, ReplyTimeout, NotResp):
            pass
        self.control.close()

    def send(self, step, now):
        connection = self.connection(step.connection)
        if step.kind in (casefile.COMMAND, casefile.RAW):
            args = [casefile.expand(arg, now, self.variables) for arg in step.args]
            connection.send(b"".join(args) if step.kind == casefile.RAW else encode(args))

    def replies(self, step):
        """What came: raw replies, and as last element a text where something else happened."""
        connection = self.connection(step.connection)
        try:
            if step.kind == casefile.CLOSED:
                return [b"closed" if connection.wait_closed() else f"still open, unread {escape(connection.unread())!r}"]
            if step.comparator is compare.SCAN:
                return [self._whole_scan(connection, step)]
            got = connection.read_replies(step.replies)
        except (Closed, ReplyTimeout, NotResp) as problem:
            return [*getattr(problem, "replies", []), f"({problem})"]
        if step.save:
            self.variables[step.save] = _payload(got[-1])
        return got

    def _whole_scan(self, connection, step):
        """Follows the cursor to its end: every element once, as one array."""
        elements, reply = set(), connection.read_reply()
        for _ in range(100000):
            if reply[:1] != b"*":
                return reply
            cursor, found = decode(reply)
            elements.update(found)
            if cursor == b"0":
                return encode(sorted(elements))
            reply = connection.command(step.args[0], cursor, *step.args[2:])
        return "(SCAN does not end)"


def _payload(raw):
    return raw[1:-2] if raw[:1] in b":+" else (decode(raw) or b"")


class CaseRunner:
    """`theirs` is None for documented.txt, whose replies are written down."""

    def __init__(self, ours, theirs, report, repeat_with, show_all=False):
        self.show_all = show_all
        self.servers = [ours] if theirs is None else [ours, theirs]
        self.names = (ours.name, "documented" if theirs is None else theirs.name)
        self.report = report
        self.repeat_with = repeat_with

    def run(self, block, resp):
        if resp not in block.resp:
            return
        if self.show_all:
            self.report.say(f"\n=== {block.name} RESP{resp}")
        sides = []
        done = 0
        try:
            for server in self.servers:
                sides.append(self._prepared(server, block, resp))
            now = time.time()
            for done, step in enumerate(block.steps):
                if not self._step(block, resp, step, sides, now):
                    self._skipped(block, resp, step, len(block.steps) - done - 1)
                    break
            else:
                self._check_unread(block, resp, sides)
        except BrokenPipeError:
            raise  # nobody reads what is printed
        except (OSError, Closed, ReplyTimeout, NotResp) as problem:
            step = block.steps[done]
            self._differ(block, resp, step, [f"the block ends: {problem!r}"], len(block.steps) - done)
        finally:
            for side in sides:
                side.finish()
            self._revive(block, resp)

    def _prepared(self, server, block, resp):
        """A server that an earlier block has left without answers is started afresh."""
        try:
            side = Side(server, resp)
            side.prepare(block.config)
        except (OSError, Closed, ReplyTimeout, NotResp) as problem:
            self._differ(block, resp, block.steps[0], [f"{server.name} did not answer before the block: {problem!r}"])
            server.restart()
            side = Side(server, resp)
            side.prepare(block.config)
        return side

    def _step(self, block, resp, step, sides, now):
        """False where the connection is of no further use."""
        if step.kind == casefile.WAIT:
            time.sleep(step.wait_ms / 1000)
            return True
        for side in sides:
            side.send(step, now)
        got = [side.replies(step) for side in sides]
        if len(sides) == 1:
            got.append([None] * len(got[0]) if step.expect is None else [expected.render(step.expect, resp)])
        return self._judge(block, resp, step, got)

    def _judge(self, block, resp, step, got):
        ours, theirs = got
        comparator = step.comparator
        if theirs == [None] and comparator is compare.EXACT:
            comparator = NO_ERROR
        if self.show_all:
            self._show(step, got)
        for mine, other in zip(ours, theirs):
            if isinstance(mine, str) or isinstance(other, str) or not comparator.same(mine, other):
                self._differ(block, resp, step, reply_lines(mine, other, self.names) + self._hints(step, mine, other))
            else:
                self.report.ok()
        return not any(isinstance(replies[-1], str) for replies in got if replies)

    def _show(self, step, got):
        """--print: the oracle's replies, or ours where it is not asked."""
        replies = got[0] if got[1] == [None] else got[1]
        self.report.say(f"{step.text[:200]}\n    " + "\n    ".join(r if isinstance(r, str) else escape(r, 600) for r in replies))

    def _hints(self, step, mine, other):
        lines = [] if step.comparator is compare.EXACT else [f"compared by {step.comparator.text}"]
        if step.comparator.text == "info" and mine[:1] == other[:1]:
            lines.append(f"missing: {b' '.join(compare.missing_info(mine, other)).decode()}")
        return lines

    def _check_unread(self, block, resp, sides):
        """A reply too many shows up as bytes nobody read."""
        for name in sides[0].connections:
            left = [side.connections[name].unread() for side in sides]
            if left[0] != left[-1] or (len(left) == 1 and left[0]):
                self._differ(block, resp, block.steps[-1], ["unread at the end of the block:", *reply_lines(left[0], left[-1], self.names)])

    def _skipped(self, block, resp, step, count):
        if count:
            self._differ(block, resp, step, [f"{count} more lines of this block were not run"], count)

    def _differ(self, block, resp, step, lines, count=1):
        connection = f" (connection {step.connection})" if step.connection != "1" else ""
        source = [f"source:  {block.source}"] if block.source else []
        self.report.difference(
            f"{block.file}.txt:{step.line} [{block.title}] RESP{resp}{connection}",
            [f"command: {step.text[:400]}", *lines, *source],
            f"{self.repeat_with} --random 0 --resp {resp} --filter '{block.name}'", count)

    def _revive(self, block, resp):
        for server in self.servers:
            ended = server.ensure_alive()
            if ended:
                self._differ(block, resp, block.steps[-1], ended.splitlines())
