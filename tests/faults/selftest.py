"""Shows that the checkers find nothing in histories that are right, and each error that is planted in one."""

import random

import checkers
from history import NEVER, History, Op, Snapshot
from proxy import BACK, Faults, NodeProxy
from registers import check_register, linearizable_by_search

RANDOM_HISTORIES = 3000


def op(kind, value, start, end=NEVER, client="c", connection=1, key="k", confirmed=False):
    return Op(kind, key, value, start, end, client, connection, confirmed)


# --- registers ---

# What is done, and whether it can be.
REGISTERS = {
    "a read after a write": ([op("set", "a", 0, 1), op("get", "a", 2, 3)], True),
    "a read of nothing at first": ([op("get", None, 0, 1), op("set", "a", 2, 3)], True),
    "a read beside a write sees either": ([op("set", "a", 0, 9), op("get", None, 1, 2), op("get", "a", 3, 4)], True),
    "an unknown write may never happen": ([op("set", "a", 0), op("get", None, 5, 6)], True),
    "an unknown write may happen late": ([op("set", "a", 0), op("get", None, 5, 6), op("get", "a", 7, 8)], True),
    "writes side by side, in either order": (
        [op("set", "a", 0, 9), op("set", "b", 0, 9), op("get", "b", 10, 11), op("get", "b", 12, 13)], True),
    "a lost write": ([op("set", "a", 0, 1), op("get", None, 2, 3)], False),
    "a write that was there and is gone": (
        [op("set", "a", 0, 1), op("set", "b", 2, 3), op("get", "b", 4, 5), op("get", "a", 6, 7)], False),
    "a write that nobody saw and the next read should have": (
        [op("set", "a", 0, 1), op("set", "b", 2, 3), op("get", "a", 4, 5)], False),
    "reads that change their mind": (
        [op("set", "a", 0, 9), op("set", "b", 0, 9), op("get", "a", 10, 11), op("get", "b", 12, 13)], False),
    "an unknown write seen and then not": (
        [op("set", "a", 0), op("get", "a", 2, 3), op("get", None, 4, 5)], False),
    "a value from nowhere": ([op("get", "x", 0, 1)], False),
    "a read before the write": ([op("get", "a", 0, 1), op("set", "a", 2, 3)], False),
}


def registers():
    for what, (ops, good) in REGISTERS.items():
        yield what, (not check_register(ops)) == good
        yield what + ", by search", linearizable_by_search(ops) == good
    draw, verdicts, agree = random.Random(1), [0, 0], True
    for _ in range(RANDOM_HISTORIES):
        ops = _random_register(draw)
        found = linearizable_by_search(ops)
        verdicts[found] += 1
        agree = agree and found == (not check_register(ops))
    yield "zones and search agree on random histories", agree
    yield "random histories are of both kinds", min(verdicts) > RANDOM_HISTORIES / 10


def _random_register(draw):
    writes = draw.randint(1, 4)
    ops = []
    for i in range(writes):
        start = draw.randint(0, 12)
        ops.append(op("set", f"v{i}", start, NEVER if draw.random() < 0.2 else start + draw.randint(1, 6)))
    for _ in range(draw.randint(1, 4)):
        start = draw.randint(0, 14)
        ops.append(op("get", draw.choice([None, *(f"v{i}" for i in range(writes))]), start, start + draw.randint(1, 4)))
    draw.shuffle(ops)
    return ops


# --- the rest: what is done, what is there, and a word of the problem that must be found ---


def counters():
    good = [op("incr", 1, 0, 1), op("incr", 2, 2, 3), op("incr", None, 4), op("incr", 3, 5, 6)]
    check = checkers.check_counter
    yield "a counter", not check(good, 3) and not check(good, 4)
    yield "a counter that begins above 0", not check([op("incr", 8, 0, 1)], 8, initial=7)
    yield "a counter that lost", check(good, 2)
    yield "a counter that has too much", check(good, 5)
    yield "the same reply twice", check([op("incr", 1, 0, 1), op("incr", 1, 2, 3)], 2)
    yield "replies out of order", check([op("incr", 2, 0, 1), op("incr", 1, 2, 3)], 2)


def lists():
    ops = [op("push", "a", 0, 1), op("push", "b", 2, 3), op("push", "u", 2, connection=0), op("push", "c", 4, 5, "d"),
           op("push", "e", 4, 5)]
    check = checkers.check_list
    yield "a list", not check(ops, ["a", "b", "c", "e"])
    yield "a list with a push of unknown outcome, late", not check(ops, ["a", "b", "c", "e", "u"])
    yield "a list that was not empty", not check(ops, ["z", "a", "b", "e", "c"], ["z"])
    yield "an element is lost", check(ops, ["a", "c", "e"])
    yield "an element is there twice", check(ops, ["a", "b", "b", "c", "e"])
    yield "an element that nobody pushed", check(ops, ["a", "b", "c", "e", "x"])
    yield "elements out of order", check(ops, ["b", "a", "c", "e"])
    yield "elements that were there before are gone", check(ops, ["a", "b", "c", "e"], ["z"])
    batch = [op("push", "a", 0, 1), op("push", "b", 0, 1)]  # sent at once, on one connection
    yield "a batch in order", not check(batch, ["a", "b"])
    yield "a batch out of order", check(batch, ["b", "a"])


def groups():
    writes = [op("group", "a", 0, 1), op("group", "b", 2, 3), op("group", "u", 4)]
    look = lambda values, start, end: op("look", values, start, end)
    whole, group = checkers.check_whole, checkers.check_group
    yield "whole groups", not whole([look(("a", "a"), 0, 1), look(("u", "u"), 9, 10), look((None, None), 9, 10)], writes)
    yield "a torn group", whole([look(("a", "b"), 2, 3)], writes)
    yield "a group of which a part is missing", whole([look(("a", None), 2, 3)], writes)
    yield "a group from nowhere", whole([look(("x", "x"), 2, 3)], writes)
    yield "a group before it was written", whole([look(("b", "b"), 0, 1)], writes)
    yield "groups on the leader", not group([*writes, look(("b", "b"), 4, 5)])
    yield "an old group on the leader", group([*writes, look(("a", "a"), 4, 5)])
    ascending = checkers.check_ascending
    yield "a follower that lags", not ascending([look(("a", "a"), 8, 9), look(("b", "b"), 10, 11)], writes)
    yield "a follower that goes back", ascending([look(("b", "b"), 8, 9), look(("a", "a"), 10, 11)], writes)


def losses():
    history = History()
    history.ops = [op("push", "a", 0, 1, key="l", confirmed=True), op("incr", 1, 2, 3, key="n"),
                   op("set", "v", 4, 5, key="r"), op("push", "b", 6, 7, key="l"), op("group", "g", 8, 9, key="g")]

    def verdict(left, check):
        survived, lost = checkers.evidence(history, left)
        return check(survived, lost)

    tail = lambda left: verdict(left, checkers.check_tail)
    left = lambda pushed, count, value, group=None: Snapshot({"r": value}, {"n": count}, {"l": pushed}, {"g": (group,) * 3})
    yield "nothing is lost", verdict(left(["a", "b"], 1, "v", "g"), lambda survived, lost: not lost and len(survived) == 5)
    yield "a tail is lost", not tail(left(["a"], 1, None))
    yield "all is lost", not tail(left([], 0, None))
    yield "a push is lost, later ones are not", tail(left(["b"], 1, "v"))
    yield "an increment is lost, a later push is not", tail(left(["a", "b"], 0, "v"))
    yield "a register is lost, a later push is not", tail(left(["a", "b"], 1, None))
    yield "all but a group is lost", tail(left([], 0, None, "g"))
    confirmed = lambda survived, lost: checkers.check_confirmed(lost)
    yield "what is confirmed is there", not verdict(left(["a"], 0, None), confirmed)
    yield "what is confirmed is lost", verdict(left([], 0, None), confirmed)
    strange = lambda left: checkers.check_strange(history, left, Snapshot())
    yield "a loss is nothing strange", not strange(left(["a"], 1, "v"))
    yield "a strange element", strange(left(["a", "x"], 1, "v"))
    yield "a strange value", strange(left(["a"], 1, "w"))
    yield "a torn group at the end", strange(Snapshot(groups={"g": ("g", "g", None)}))
    everything = lambda left: checkers.check_all(history, left, Snapshot())
    yield "everything together", not everything(left(["a", "b"], 1, "v", "g"))
    for what, there in {"push": left(["a"], 1, "v", "g"), "increment": left(["a", "b"], 0, "v", "g"),
                        "set": left(["a", "b"], 1, None, "g"), "group": left(["a", "b"], 1, "v")}.items():
        yield f"everything together, without a {what}", everything(there)


def proxies():
    faults = Faults()
    faults.corrupt(BACK)
    data = b"\0" * 1000
    changed = faults.pass_on(BACK, data, lambda: True)
    yield "one bit flips", sum(byte.bit_count() for byte in changed) == 1 and len(changed) == len(data)
    yield "only once", faults.pass_on(BACK, data, lambda: True) == data
    proxy = NodeProxy.__new__(NodeProxy)  # only what rewrites
    proxy.rear = type("Port", (), {"port": 7})
    text = b"# Server\r\nport:1\r\nnode_port:12345\r\nx:y\r\n"
    reply = b"+OK\r\n$%d\r\n%b\r\n:1\r\n" % (len(text), text)
    wanted = text.replace(b"12345", b"7")
    wanted = b"+OK\r\n$%d\r\n%b\r\n:1\r\n" % (len(wanted), wanted)
    yield "INFO is rewritten wherever it is split", all(
        proxy._rewrite(state, reply[:at]) + proxy._rewrite(state, reply[at:]) == wanted
        for at in range(len(reply)) for state in [{}])


def run():
    """How many held and how many did not, which are printed."""
    passed = failed = 0
    for part in (registers, counters, lists, groups, losses, proxies):
        for what, holds in part():
            passed, failed = passed + bool(holds), failed + (not holds)
            if not holds:
                print(f"FAILED self-test, {part.__name__}: {what}")
    print(f"self-test: {passed} checks of the checkers hold")
    return passed, failed
