"""Linearizability of one register whose written values are all different.

P. Gibbons and E. Korach, Testing Shared Memories (SIAM J. Comput. 26, 1997): with unique values each read names its
write. A write and its reads form a cluster with a zone, from the first end in it to the last start. If the zone runs
forward the register held that value all through it; so no two forward zones overlap, and a zone that runs backward (all
of the cluster at one moment) lies in no forward one. This is necessary and sufficient, and takes n log n.
"""

import bisect

from history import NEVER, Op


def check_register(ops, initial=None, name="register"):
    """Problems of the operations (set, get) of one key that held `initial` at the beginning."""
    clusters = {initial: [Op("set", name, initial, -NEVER, -NEVER)]}
    for op in ops:
        if op.kind == "set":
            if op.value in clusters:
                raise ValueError(f"{name}: {op.value!r} is written twice: a register's values must be unique")
            clusters[op.value] = [op]
    problems = []
    for op in ops:
        if op.kind != "get" or not op.known:
            continue
        write = clusters.get(op.value)
        if write is None:
            problems.append(f"{name}: {op.client} read {op.value!r}, which nobody wrote")
        elif op.end < write[0].start:
            problems.append(f"{name}: {op.client} read {op.value!r} before it was written")
        else:
            write.append(op)
    return problems or _check_zones(clusters, name)


def _check_zones(clusters, name):
    forward, backward = [], []
    for value, cluster in clusters.items():
        first_end = min(op.end for op in cluster)
        last_start = max(op.start for op in cluster)
        if first_end == NEVER:
            continue  # its write may take effect at the very end, or never
        if first_end < last_start:
            forward.append((first_end, last_start, value))
        else:
            backward.append((last_start, first_end, value))
    forward.sort(key=lambda zone: zone[:2])
    problems = []
    for one, other in zip(forward, forward[1:]):
        if other[0] < one[1]:
            problems.append(f"{name}: {one[2]!r} and {other[2]!r} were each seen while the other was in force")
    begins = [zone[0] for zone in forward]
    for begin, end, value in backward:
        at = bisect.bisect_left(begins, begin) - 1
        if at >= 0 and end < forward[at][1] and value != forward[at][2]:
            problems.append(f"{name}: {value!r} was lost: {forward[at][2]!r} was in force before and after it")
    return problems


def linearizable_by_search(ops, initial=None):
    """The same by trying all orders (Wing and Gong): for small histories, to check the check."""
    ops = [op for op in ops if op.known or op.kind == "set"]
    seen = set()

    def search(left, value):
        if all(not ops[i].known for i in left):
            return True
        if (left, value) in seen:
            return False
        seen.add((left, value))
        earliest_end = min(ops[i].end for i in left)
        for i in left:
            op = ops[i]
            if op.start > earliest_end:
                continue
            if op.kind == "set" and search(left - {i}, op.value):
                return True
            if op.kind == "get" and op.value == value and search(left - {i}, value):
                return True
        return False

    return search(frozenset(range(len(ops))), initial)
