"""Shows that the harness passes where it should and fails where it should.

Units first (framing, quoting, comparators); then oracle against oracle, which must not differ; then oracle against an
oracle behind a proxy that lies in one of several ways, each of which must be seen.
"""

import io
import random
import socket
import threading

import casefile
import compare
import expected
import servers
from caserun import CaseRunner
from quoting import quote, split_args
from randomrun import RandomRun
from report import Report
from resp import Closed, Connection, ReplyTimeout, decode, encode, frame_end

RANDOM_COMMANDS = 3000


class Liar:
    """A proxy in front of a server that changes the stream of replies by `lie(bytes so far, chunk)`."""

    def __init__(self, server, lie):
        self.name = "liar"
        self.server = server
        self.lie = lie
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def ensure_alive(self):
        return self.server.ensure_alive()

    def restart(self):
        self.server.restart()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.server.port))
            threading.Thread(target=self._copy, args=(client, upstream, lambda seen, chunk: chunk), daemon=True).start()
            threading.Thread(target=self._copy, args=(upstream, client, self.lie), daemon=True).start()

    @staticmethod
    def _copy(source, target, change):
        seen = 0
        try:
            while chunk := source.recv(65536):
                changed = change(seen, chunk)
                seen += len(chunk)
                if changed is None:
                    break
                target.sendall(changed)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _late(lie):
    """Tells the truth for the first bytes of a connection, so that the harness gets going."""
    return lambda seen, chunk: lie(chunk) if seen > 1000 else chunk


# A Lie is told to the random run and has to be found there.
LIES = {
    "a wrong digit": _late(lambda chunk: chunk.replace(b":1\r\n", b":2\r\n")),
    "an error text that differs": _late(lambda chunk: chunk.replace(b"-ERR value is not", b"-ERR Value is not")),
    "a bulk string instead of a status": _late(lambda chunk: chunk.replace(b"+OK\r\n", b"$2\r\nOK\r\n")),
    "a reply too many": _late(lambda chunk: chunk.replace(b"$-1\r\n", b"$-1\r\n$-1\r\n", 1)),
    "a reply too few": _late(lambda chunk: chunk.replace(b":1\r\n", b"", 1)),
    "another encoding": _late(lambda chunk: chunk.replace(b"$6\r\nembstr\r\n", b"$3\r\nraw\r\n")),
    "bytes that are no RESP": _late(lambda chunk: b"?" + chunk),
    "a closed connection": _late(lambda chunk: None),
}

CASE = """
=== a set and a get
SET k v
GET k
~match "^.[1-9]" STRLEN k
"""


def main():
    report = Report()
    for unit in (_framing, _quoting, _comparators, _case_format, _expected_notation, _clients_clock):
        unit(report)
    pair = []
    try:
        for name in ("one", "two"):
            pair.append(servers.oracle(name))
            pair[-1].start()
        _truth(report, *pair)
        for name, lie in LIES.items():
            _told(report, name, lie, *pair)
        _case_lies(report, *pair)
        _crash(report, *pair)
    finally:
        for server in pair:
            server.stop()
    return report.end()


def _check(report, what, holds):
    if holds:
        report.ok()
    else:
        report.difference(f"self-test: {what}", [], "tests/compat/run.py --self-test")


def _quiet():
    return Report(out=io.StringIO())


def _truth(report, one, two):
    for version in (2, 3):
        quiet = Report()
        RandomRun(one, two, quiet, "", seed=7, resp=version).run(RANDOM_COMMANDS)
        _check(report, f"oracle and oracle agree on random commands, RESP{version}", quiet.failed == 0 and quiet.passed >= RANDOM_COMMANDS)


def _told(report, name, lie, one, two):
    liar, quiet = Liar(two, lie), _quiet()
    run = RandomRun(liar, one, quiet, "", seed=7, resp=2)
    run.timeout = 0.5
    run.run(600)
    liar.close()
    _check(report, f"the random run finds {name}", quiet.failed > 0 and "command:" in quiet.out.getvalue())


def _case_lies(report, one, two):
    block = _block(CASE)
    for what, lie in (("nothing where there is nothing", None),
                      ("a wrong value", lambda seen, chunk: chunk.replace(b"$1\r\nv\r\n", b"$1\r\nw\r\n")),
                      ("bytes left over", lambda seen, chunk: chunk.replace(b":1\r\n", b":1\r\n:1\r\n")),
                      ("a closed connection", lambda seen, chunk: None if b"$1\r\nv" in chunk else chunk)):
        quiet, liar = _quiet(), Liar(two, lie or (lambda seen, chunk: chunk))
        CaseRunner(liar, one, quiet, "").run(block, 2)
        liar.close()
        _check(report, f"a case finds {what}", quiet.passed + quiet.failed >= 3 and (quiet.failed > 0) == (lie is not None))
    documented, quiet = _block("=== documented\nSET k v\n= +OK\nGET k\n= \"w\"\nGET none\n= nil\nSET k"), _quiet()
    CaseRunner(one, None, quiet, "").run(documented, 2)
    _check(report, "a documented reply that differs and an undocumented error fail", (quiet.passed, quiet.failed) == (2, 2))


def _crash(report, one, two):
    quiet = _quiet()
    CaseRunner(one, two, quiet, "").run(_block("=== crash\nSET k v\nSHUTDOWN NOSAVE\nGET k"), 2)
    _check(report, "a server that ends is reported and started again", quiet.failed > 0 and one.alive() and two.alive())
    check = Connection(one.port)
    _check(report, "and serves again", check.command("PING") == b"+PONG\r\n")
    check.close()


def _block(text):
    return casefile.parse(text, "self")[0]


def _framing(report):
    replies = [b"+OK\r\n", b":-5\r\n", b"$-1\r\n", b"$0\r\n\r\n", b"$2\r\n\r\n\r\n", b"*-1\r\n", b"*0\r\n", b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n",
               b"%1\r\n+a\r\n*2\r\n_\r\n#t\r\n", b"~2\r\n,1.5\r\n(123\r\n", b">2\r\n+x\r\n=5\r\ntxt:a\r\n", b"|1\r\n+k\r\n+v\r\n:9\r\n", b"!3\r\nERR\r\n"]
    for reply in replies:
        whole = frame_end(reply + b":7\r\n", 0) == len(reply)
        parts = all(frame_end(reply[:cut], 0) == -1 for cut in range(len(reply)))
        _check(report, f"framing of {reply!r} at every split", whole and parts)
    stream = b"".join(replies)
    at, found = 0, []
    while at < len(stream):
        end = frame_end(stream, at)
        found.append(stream[at:end])
        at = end
    _check(report, "a stream falls into its replies", found == replies)
    _check(report, "encode and decode", decode(encode([b"a", b""])) == [b"a", b""])


def _quoting(report):
    rng = random.Random(1)
    for _ in range(200):
        args = [rng.randbytes(rng.randrange(6)) for _ in range(3)]
        if split_args(" ".join(map(quote, args))) != args:
            _check(report, f"quoting {args!r}", False)
    _check(report, "quotes, escapes, spaces", split_args(r"""a "b \x00\n\"" 'c \' d' """) == [b"a", b'b \x00\n"', b"c ' d"])


def _comparators(report):
    near = compare.integer_within(5)
    table = [(near, b":10\r\n", b":14\r\n", True), (near, b":10\r\n", b":16\r\n", False), (near, b":-1\r\n", b":-2\r\n", False),
             (near, b":1\r\n", b":-1\r\n", False), (near, b"$2\r\n10\r\n", b"$2\r\n12\r\n", True), (near, b"+OK\r\n", b":1\r\n", False),
             (compare.SORTED, b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", True), (compare.SORTED, b"*1\r\n+a\r\n", b"~1\r\n+a\r\n", False),
             (compare.SORTED, b"*2\r\n+a\r\n+a\r\n", b"*2\r\n+a\r\n+b\r\n", False),
             (compare.DEEP, b"*1\r\n~2\r\n+a\r\n+b\r\n", b"*1\r\n~2\r\n+b\r\n+a\r\n", True),
             (compare.DEEP, b"*1\r\n~1\r\n+a\r\n", b"*1\r\n*1\r\n+a\r\n", False),
             (compare.PAIRS, b"*4\r\n+a\r\n+b\r\n+c\r\n+d\r\n", b"*4\r\n+c\r\n+d\r\n+a\r\n+b\r\n", True),
             (compare.PAIRS, b"*4\r\n+a\r\n+b\r\n+c\r\n+d\r\n", b"*4\r\n+a\r\n+d\r\n+c\r\n+b\r\n", False),
             (compare.SAME_TYPE, b"$-1\r\n", b"$1\r\na\r\n", False), (compare.SAME_TYPE, b":1\r\n", b":2\r\n", True),
             (compare.matching(b"^-ERR"), b"-ERR a\r\n", b"-ERR b\r\n", True), (compare.matching(b"^-ERR"), b"-ERR a\r\n", b"+OK\r\n", False),
             (compare.EXACT, b"+OK\r\n", b"+ok\r\n", False)]
    for comparator, mine, other, wanted in table:
        _check(report, f"{comparator.text}: {mine!r} {other!r} is {wanted}", comparator.same(mine, other) is wanted)


def _case_format(report):
    for wrong in ("SET k v", "=== t\nSET 'k", "=== t\n~nosuch GET k", "=== t\n%nosuch 1", "=== t\n= +OK", "=== t\nGET k\n= ["):
        _check(report, f"a wrong case is refused: {wrong!r}", _raises(casefile.CaseError, lambda text=wrong: casefile.parse(text, "x")))
    block = _block('=== t\n%resp 3\n%config maxmemory 1\n@b ~int±5 TTL {repeat:ab:2}\n>0 "a\\r\\n"\n@b <\n~send GET "#"\n#wait-ms 5')
    kinds = [(s.kind, s.connection, s.replies) for s in block.steps]
    _check(report, "kinds, connections and counts", kinds == [("command", "b", 1), ("raw", "1", 0), ("read", "b", 1), ("command", "1", 0), ("wait", "1", 1)])
    _check(report, "directives", block.resp == (3,) and block.config == [(b"maxmemory", b"1")])
    _check(report, "places", casefile.expand(b"{repeat:ab:2}{ms+1}{$x}{tag}", 2, {"x": b"9"}) == b"abab20019{tag}")


def _expected_notation(report):
    node = expected.parse('[ :1 nil { "a" [ ] } +OK ]')
    _check(report, "expected replies in RESP2", expected.render(node, 2) == b"*4\r\n:1\r\n$-1\r\n*2\r\n$1\r\na\r\n*0\r\n+OK\r\n")
    _check(report, "expected replies in RESP3", expected.render(node, 3) == b"*4\r\n:1\r\n_\r\n%1\r\n$1\r\na\r\n*0\r\n+OK\r\n")


def _clients_clock(report):
    """A server that never answers is given up on, one that closes is noticed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Connection(listener.getsockname()[1], timeout=0.1)
        peer, _ = listener.accept()
        _check(report, "a silent server times out", _raises(ReplyTimeout, client.read_reply))
        peer.sendall(b"$5\r\nab")
        peer.close()
        _check(report, "half a reply is no reply", _raises(Closed, client.read_reply))
        client.close()


def _raises(kind, call):
    try:
        call()
    except kind:
        return True
    return False
