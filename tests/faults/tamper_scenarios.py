"""Blindness: data that were changed behind the clients' backs must be noticed, in each way that they can be changed."""

from checkers import check_all
from history import Snapshot
from scenario import scenario


def _tampers(keys, final):
    """Commands that each do what no node may do."""
    values = final.lists[keys.lists[0]]
    group, register, counter = keys.groups[0], keys.registers[0], keys.counters[0]
    return {
        "an element is gone": [["LREM", keys.lists[0], 1, values[len(values) // 2]]],
        "the last element is gone": [["RPOP", keys.lists[0]]],
        "an element is doubled": [["LINSERT", keys.lists[0], "BEFORE", values[5], values[5]]],
        "an element has moved": [["LREM", keys.lists[0], 1, values[0]], ["RPUSH", keys.lists[0], values[0]]],
        "a list is gone": [["DEL", keys.lists[1]]],
        "a counter went back": [["DECR", counter]],
        "a counter went on": [["INCRBY", counter, 100]],
        "a register is gone": [["DEL", register]],
        "a register has a value from nowhere": [["SET", register, "nowhere"]],
        "a part of a group is gone": [["DEL", f"{group}:1"]],
        "a part of a group is another's": [["COPY", f"{keys.groups[1]}:1", f"{group}:1", "REPLACE"]],
        "a group is gone": [["DEL", *keys.parts(group)]],
    }


@scenario(short=True)
def tampered(stage):
    """A good history of one node, and then data that do not fit it any more: each change must be found."""
    node = stage.node("a")
    with stage.load(node) as load:
        load.progress(3000)
    final = stage.nothing_lost(load, node)
    old = {key: next(op.value for op in ops) for key, ops in load.history.by_key("set").items()}
    tampers = _tampers(load.keys, final)
    tampers["a register has an old value"] = [["SET", key, value] for key, value in old.items()]
    for what, commands in tampers.items():
        _restore(node, load.keys, final)
        stage.expect(not check_all(load.history, load.keys.snapshot(node), Snapshot()), f"restored before: {what}")
        for command in commands:
            node.command(*command)
        stage.expect(check_all(load.history, load.keys.snapshot(node), Snapshot()), f"nobody noticed: {what}")


def _restore(node, keys, final):
    node.command("FLUSHALL")
    for key, value in {**final.registers, **final.counters}.items():
        if value is not None:
            node.command("SET", key, value)
    for key, values in final.lists.items():
        node.command("RPUSH", key, *values)
    for group, values in final.groups.items():
        for part, value in zip(keys.parts(group), values):
            node.command("SET", part, value)
