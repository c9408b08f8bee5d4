"""Checkers: pure functions from what clients did and what is there at the end to a list of problems."""

import collections

from history import NEVER, Op
from registers import check_register

SHOWN = 5  # of a kind of problem


def _some(items):
    items = list(items)
    text = ", ".join(str(item) for item in items[:SHOWN])
    return text if len(items) <= SHOWN else f"{text} and {len(items) - SHOWN} more"


def out_of_order(ops):
    """Pairs of `ops`, given in the order of their effects, where the later had ended before the earlier began."""
    latest, found = None, []
    for op in ops:
        if latest is not None and op.end < latest.start:
            found.append((op, latest))
        if latest is None or op.start > latest.start:
            latest = op
    return found


def check_counter(ops, final, initial=0, name="counter"):
    """INCR of one key."""
    known = [op for op in ops if op.known]
    unknown = len(ops) - len(known)
    problems = []
    if not initial + len(known) <= final <= initial + len(ops):
        problems.append(f"{name}: is {final}, with {len(known)} increments acknowledged and {unknown} of unknown "
                        f"outcome since {initial}")
    replies = collections.Counter(op.value for op in known)
    twice = [value for value, count in replies.items() if count > 1]
    if twice:
        problems.append(f"{name}: several increments led to the same value: {_some(sorted(twice))}")
    wild = [value for value in replies if not initial < value <= initial + len(ops)]
    if wild:
        problems.append(f"{name}: replies that cannot be: {_some(sorted(wild))}")
    for late, early in out_of_order(sorted(known, key=lambda op: op.value))[:SHOWN]:
        problems.append(f"{name}: {late.value} was told before the increment that led to {early.value} began")
    return problems


def check_list(ops, final, initial=(), name="list"):
    """RPUSH of unique values to one key."""
    problems = []
    if list(final[: len(initial)]) != list(initial):
        problems.append(f"{name}: the {len(initial)} elements that were there before have changed")
    added = final[len(initial) :]
    pushes = {op.value: op for op in ops}
    counts = collections.Counter(added)
    lost = [op.value for op in ops if op.known and op.value not in counts]
    if lost:
        problems.append(f"{name}: {len(lost)} acknowledged elements are missing: {_some(lost)}")
    twice = [value for value, count in counts.items() if count > 1]
    if twice:
        problems.append(f"{name}: elements are there more than once: {_some(twice)}")
    strange = [value for value in counts if value not in pushes]
    if strange:
        problems.append(f"{name}: nobody pushed {_some(strange)}")
    there = [pushes[value] for value in added if value in pushes]
    for late, early in out_of_order(there)[:SHOWN]:
        problems.append(f"{name}: {late.value} was pushed before {early.value}, but stands behind it")
    return problems + _check_connection_order(ops, there, name)


def _check_connection_order(ops, there, name):
    place = {id(op): i for i, op in enumerate(ops)}
    last, problems = {}, []
    for op in there:
        sender = op.client, op.connection
        before = last.get(sender)
        if before is not None and place[id(op)] < place[id(before)]:
            problems.append(f"{name}: {op.client} sent {op.value} before {before.value}, but it stands behind it")
        last[sender] = op
    return problems[:SHOWN]


def check_whole(looks, writes, initial=None, name="group"):
    """Reads of all keys of a group, from whichever node: each saw one write, whole, that had begun."""
    written = {op.value: op for op in writes}
    problems = []
    for look in looks:
        values = set(look.value)
        if len(values) > 1:
            problems.append(f"{name}: {look.client} saw {look.value}: parts of different writes")
            continue
        value = look.value[0]
        if value in written:
            if look.end < written[value].start:
                problems.append(f"{name}: {look.client} saw {value!r} before it was written")
        elif value != initial:
            problems.append(f"{name}: {look.client} saw {value!r}, which nobody wrote")
    return problems[:SHOWN]


def check_group(ops, initial=None, name="group"):
    """Writes (group) and reads (look) of the keys of a group on the leader: as one register."""
    looks = [op for op in ops if op.kind == "look" and op.known]
    problems = check_whole(looks, [op for op in ops if op.kind == "group"], initial, name)
    if problems:
        return problems
    as_register = [Op("set" if op.kind == "group" else "get", op.key, op.value if op.kind == "group" else op.value[0],
                      op.start, op.end, op.client) for op in ops if op.known or op.kind == "group"]
    return check_register(as_register, initial, name)


def check_ascending(looks, writes, name="group"):
    """Reads of one reader from one follower of one leader: it never goes back to an older write."""
    written = {op.value: op for op in writes}
    problems, newest = [], None
    for look in looks:
        write = written.get(look.value[0])
        if write is None:
            continue
        if newest is not None and write.end < newest.start:
            problems.append(f"{name}: {look.client} saw {newest.value!r} and later the older {write.value!r}")
        if newest is None or write.start > newest.start:
            newest = write
    return problems[:SHOWN]


def evidence(history, left):
    """What must have survived and what must be lost, of the acknowledged writes, where `left` (a Snapshot) is there."""
    survived, lost = [], []
    for key, ops in history.by_key("push").items():
        there = set(left.lists.get(key, ()))
        survived += [op for op in ops if op.value in there]
        lost += [op for op in ops if op.known and op.value not in there]
    for key, ops in history.by_key("incr").items():
        final = left.counters.get(key, 0)
        survived += [op for op in ops if op.known and op.value <= final]
        lost += [op for op in ops if op.known and op.value > final]
    values = dict(left.registers) | {key: value[0] for key, value in left.groups.items()}
    for key, ops in history.by_key("set", "group").items():
        last = [op for op in ops if op.value == values.get(key)]
        survived += last
        since = last[0].end if last else -NEVER
        lost += [op for op in ops if op.known and op.start > since]
    return survived, lost


def check_tail(survived, lost):
    """What is lost is a tail: nothing that began after its end has survived."""
    if not survived:
        return []
    newest = max(survived, key=lambda op: op.start)
    early = [op for op in lost if op.end < newest.start]
    if not early:
        return []
    return [f"{len(early)} writes are lost although {newest.kind} {newest.key} {newest.value}, which began later, has "
            f"survived: {_some(f'{op.kind} {op.key} {op.value}' for op in early)}"]


def check_confirmed(lost):
    """None of what a replica had confirmed is lost."""
    confirmed = [op for op in lost if op.confirmed]
    if not confirmed:
        return []
    return [f"{len(confirmed)} writes are lost that WAIT had confirmed: "
            f"{_some(f'{op.kind} {op.key} {op.value}' for op in confirmed)}"]


def check_strange(history, left, initial):
    """Nothing is there that nobody wrote, whatever is lost."""
    problems = []
    for key, ops in history.by_key("push").items():
        known_lost = [op for op in ops if op.value in set(left.lists.get(key, ()))]
        problems += check_list(known_lost, left.lists.get(key, []), initial.lists.get(key, []), key)
    for what, there, before, kind in (("register", left.registers, initial.registers, "set"),
                                      ("group", {k: v[0] for k, v in left.groups.items()},
                                       {k: v[0] for k, v in initial.groups.items()}, "group")):
        writes = history.by_key(kind)
        for key, value in there.items():
            if value != before.get(key) and value not in {op.value for op in writes.get(key, ())}:
                problems.append(f"{what} {key}: is {value!r}, which nobody wrote")
    for key, values in left.groups.items():
        if len(set(values)) > 1:
            problems.append(f"group {key}: is {values}: parts of different writes")
    return problems


def check_all(history, final, initial, reads=True):
    """All that must hold where no acknowledged write may be lost. Without `reads` those of the leader do not count:
    they may come from a node that does not know yet that it no longer leads."""
    problems = []
    kinds = ("set", "get") if reads else ("set",)
    end = max((op.end for op in history.ops if op.known), default=0) + 1
    sets, groups = history.by_key(*kinds), history.by_key("group", *(("look",) if reads else ()))
    for key, value in final.registers.items():
        ops = sets.get(key, []) + [Op("get", key, value, end, end + 1, "the final read")]
        problems += check_register(ops, initial.registers.get(key), key)
    for key, values in final.groups.items():
        ops = groups.get(key, []) + [Op("look", key, values, end, end + 1, "the final read")]
        problems += check_group(ops, initial.groups.get(key, (None,))[0], key)
    for key, ops in history.by_key("incr").items():
        problems += check_counter(ops, final.counters.get(key, 0), initial.counters.get(key, 0), key)
    for key, ops in history.by_key("push").items():
        problems += check_list(ops, final.lists.get(key, []), initial.lists.get(key, []), key)
    return problems
