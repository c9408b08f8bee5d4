"""Shards whose network is cut between some nodes. Not in the short form: they need to be root, and namespaces of the network."""

import time

from checkers import check_all
from history import Snapshot
from nodes import wait_until
from scenario import scenario
from shard_scenarios import all_kept, take_over

ARBITER = "arbiter"


def _shard(stage, mode="isr", *args):
    network = stage.network()
    return network, stage.shard(mode, *args, network=network)


def _rest(shard, *nodes):
    return [node.name for node in shard.nodes if node not in nodes]


@scenario()
def cut_leader(stage):
    """The leader is cut off from the others and from the arbiter, but not from clients: it answers nothing once another
    one leads; nothing is lost, and it goes on as a follower without full synchronisation."""
    network, shard = _shard(stage)
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(3)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 800))
            network.cut(leader.name, *_rest(shard, leader), ARBITER)
            take_over(stage, shard, load, leader)
            time.sleep(stage.random.uniform(0, 1.5))
            network.heal()
        all_kept(stage, shard, load)


@scenario()
def cut_leader_from_nodes(stage):
    """The same, but the leader still reaches the arbiter: either it goes on without the others, or they without it."""
    network, shard = _shard(stage, "isr", "--min-isr", "1")
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(3)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 800))
            network.cut(leader.name, *_rest(shard, leader))
            load.progress(300)
            network.heal()
        all_kept(stage, shard, load)


@scenario()
def cut_leader_from_arbiter(stage):
    """The leader does not reach the arbiter, and everything else does: data are served. Then a follower stands still."""
    network, shard = _shard(stage)
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(2)):
            leader = shard.in_sync()
            network.cut(leader.name, ARBITER)
            load.progress(500)
            time.sleep(2)
            load.progress(300)
            follower = stage.random.choice(shard.followers(leader))
            follower.pause()
            load.progress(300)  # R25: the leader cannot shrink, so the other follower takes over
            network.heal()
            follower.go_on()
        all_kept(stage, shard, load)


@scenario()
def cut_one_way(stage):
    """What one node sends to another one does not arrive, and the way back is open; each pair, in random order."""
    network, shard = _shard(stage, "isr", "--min-isr", "1")
    with stage.shard_load(shard, pinned=2) as load:
        ways = [(one, other) for one in network.addresses for other in network.addresses if one != other]
        for source, target in stage.random.sample(ways, stage.some(8)):
            shard.in_sync()
            load.progress(200)
            network.cut_way(source, target)
            began = time.monotonic()
            load.progress(300)
            time.sleep(max(0.0, stage.random.choice([0.5, 2, 4]) - (time.monotonic() - began)))
            load.progress(50)
            stage.note(f"{source} -> {target}")
            network.heal()
        all_kept(stage, shard, load)


@scenario()
def cut_followers(stage):
    """The two followers do not reach each other; then one of them does not reach anybody."""
    network, shard = _shard(stage)
    with stage.shard_load(shard) as load:
        leader = shard.in_sync()
        one, other = shard.followers(leader)
        network.cut(one.name, other.name)
        load.progress(500)
        leader.kill()
        take_over(stage, shard, load, leader) if stage.size > 1 else time.sleep(1)
        leader.restart()
        network.heal()
        leader = shard.in_sync()
        one, other = shard.followers(leader)
        network.cut(one.name, other.name, leader.name, ARBITER)
        load.progress(500)
        network.heal()
        all_kept(stage, shard, load)


@scenario()
def cut_all(stage):
    """Nobody reaches anybody for a while: all stop; then all is as it was."""
    network, shard = _shard(stage)
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(2)):
            leader = shard.in_sync()
            load.progress(300)
            for name in network.addresses:
                network.cut(name, *(other for other in network.addresses if other != name))
            wait_until(lambda: not any(node.serves() for node in shard.nodes), "nobody serves")
            time.sleep(stage.random.uniform(0, 5))
            network.heal()
            load.progress(300)
        all_kept(stage, shard, load)


@scenario()
def cut_async(stage):
    """Mode async: a leader that is cut off acknowledges for as long as its lease lasts, and nothing afterwards."""
    network, shard = _shard(stage, "async")
    left = None
    for round_number in range(stage.some(3)):
        leader = shard.in_sync()
        with stage.shard_load(shard, clients=0, pinned=4, only=leader, name=f"c{round_number}.") as load:
            load.progress(500)
            network.cut(leader.name, *_rest(shard, leader), ARBITER)
            new = shard.leader(but=leader)
            since = time.monotonic()
            time.sleep(1)
            load.over.set()
            network.heal()
            load.stop()
        shard.in_sync()
        left, lost = stage.only_tail_lost(load, new, left)
        late = [op for op in lost if op.end > since]
        stage.expect(not late, f"{len(late)} writes were acknowledged after another node led: {late[:3]}")
    stage.in_step(shard.in_sync(), *shard.followers())


@scenario()
def cut_chaos(stage):
    """Random cuts, one after the other and together, with nodes that die and stand still, in the mode isr."""
    network, shard = _shard(stage, "isr", "--min-isr", "1")
    names = list(network.addresses)
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(12)):
            node = stage.random.choice(shard.nodes)
            source, target = stage.random.sample(names, 2)
            what = stage.random.random()
            if what < 0.3:
                network.cut_way(source, target)
            elif what < 0.6:
                network.cut(source, target)
            elif what < 0.8:
                node.pause()
                time.sleep(stage.random.choice([0.5, 1.5, 3]))
                node.go_on()
            elif node is not shard.nodes[0]:
                node.kill()
                node.restart()
            time.sleep(stage.random.uniform(0, 2))
            if stage.random.random() < 0.5:
                network.heal()
                shard.in_sync()
                load.progress(100)
        network.heal()
        all_kept(stage, shard, load)


def _slow(stage, kills):
    network, shard = _shard(stage)
    with stage.shard_load(shard, padding=2000) as load:
        for _ in range(stage.some(5)):
            leader = shard.in_sync()
            load.progress(200)
            node = leader if kills else stage.random.choice([leader, *shard.nodes])
            network.slow_down(node.name, stage.random.choice([100, 500, 2000, 10000]))
            time.sleep(stage.random.uniform(1, 5))
            if kills:
                leader.kill()
                leader.restart()
            network.heal()
        all_kept(stage, shard, load)


@scenario()
def cut_slow(stage):
    """A node whose network is slow, and loses what waits for too long: leases end or not, nothing is lost, and all goes on
    once it is as fast as ever."""
    _slow(stage, kills=False)


@scenario(known="it may have made itself the only one in sync, below min-isr, before it dies: then nobody serves any more")
def cut_slow_killed(stage):
    """The leader's network is slow, and then the leader dies."""
    _slow(stage, kills=True)


@scenario()
def cut_seen(stage):
    """Blindness: what a leader that is cut off acknowledges in the mode async is lost, and the checkers must find it."""
    network, shard = _shard(stage, "async")
    leader = shard.in_sync()
    with stage.shard_load(shard, pinned=2) as load:
        load.progress(500)
        network.cut(leader.name, *_rest(shard, leader), ARBITER)
        new = shard.leader(but=leader)
        load.progress(500)
        network.heal()
        load.stop()
    stage.expect(check_all(load.history, load.keys.snapshot(new), Snapshot()), "writes were lost, and no checker noticed")
