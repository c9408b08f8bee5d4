"""Nodes that die, stand still, and hand over."""

import time

from checkers import check_all
from history import Snapshot
from nodes import wait_until
from proxy import Faults, Proxy
from scenario import scenario


@scenario(short=True)
def follower_killed(stage):
    """kill -9 of the follower and an immediate empty restart, again and again, under load."""
    leader, follower = stage.pair()
    with stage.load(leader) as load, stage.watcher(follower, load.keys) as watcher:
        for _ in range(stage.some(3)):
            load.progress(500)
            follower.kill()
            follower.restart()
            follower.follow(leader.port)
            if stage.random.random() < 0.5:
                stage.caught_up(leader, follower)  # else it is killed again while it synchronises, perhaps
        stage.caught_up(leader, follower)
        load.progress(500)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load)


def _leader_killed(stage, start, confirm, padding=0, sure=False):
    """Kills the leader under load, promotes the follower, lets the old leader follow it, and begins anew with both."""
    leader, follower = start
    left, lost_in_all = None, 0
    for round_number in range(stage.some(2)):
        load = stage.load(leader, confirm=confirm, padding=padding, pause=0, sure=sure, name=f"c{round_number}.")
        with load:
            load.progress(stage.random.randint(200, 1500), confirmed=confirm > 0 or sure)
            leader.kill()
            load.stop()
        follower.lead()
        left, lost = stage.only_tail_lost(load, follower, left)
        lost_in_all += len(lost)
        leader.restart()
        leader.follow(follower.port)
        with stage.load(follower, name=f"d{round_number}.") as load:
            load.progress(300)
            stage.caught_up(follower, leader)
            load.progress(300)
        stage.in_step(follower, leader)
        left = stage.nothing_lost(load, follower, left)
        leader, follower = follower, leader
    return lost_in_all


@scenario(short=True)
def leader_killed(stage):
    """kill -9 of the leader in async mode: only a tail may be missing on the follower that is promoted."""
    _leader_killed(stage, stage.pair(), 0, padding=stage.random.choice([0, 1000, 5000]))


@scenario(short=True)
def leader_killed_wait(stage):
    """The same where each batch is confirmed by WAIT 1: nothing confirmed may be missing."""
    _leader_killed(stage, stage.pair(), 1)


@scenario(short=True)
def leader_killed_semi(stage):
    """The same with replication-mode semi: nothing that was acknowledged may be missing."""
    start = stage.pair("--replication-mode", "semi")
    _leader_killed(stage, start, 0, padding=stage.random.choice([0, 1000, 5000]), sure=True)


def _killed_far_away(stage, *args, **options):
    """The follower is far away: what is on its way when the leader dies does not arrive."""
    leader, follower, proxy = stage.proxied_pair(*args)
    left = None
    for round_number in range(stage.some(3)):
        proxy.faults.delay = stage.random.choice([0.005, 0.03])
        with stage.load(leader, name=f"c{round_number}.", pause=0, **options) as load:
            load.progress(stage.random.randint(100, 500), confirmed=True)
            proxy.cut()
            leader.kill()
            load.stop()
        follower.lead()
        left, _ = stage.only_tail_lost(load, follower, left)
        leader.restart()
        proxy.heal()
        leader.follow(follower.port)
        stage.in_step(follower, leader)
        follower.command("FAILOVER")
        wait_until(leader.leads, "the old leader leads again")
        follower.follow(proxy.port)
        stage.in_step(leader, follower)


@scenario(short=True)
def far_away_wait(stage):
    """kill -9 of a leader whose follower is far away: nothing that WAIT 1 has confirmed may be missing."""
    _killed_far_away(stage, confirm=1)


@scenario(short=True)
def far_away_semi(stage):
    """The same with replication-mode semi: nothing that was acknowledged may be missing."""
    _killed_far_away(stage, "--replication-mode", "semi", sure=True)


@scenario(short=True)
def leader_ends(stage):
    """SIGTERM of the leader under load: only a tail may be missing on the follower. How much is told, not judged."""
    leader, follower = stage.pair()
    with stage.load(leader, padding=1000, pause=0) as load:
        load.progress(1000)
        leader.end()
        load.stop()
    follower.lead()
    stage.only_tail_lost(load, follower)


def redis_pair(stage):
    leader, follower = stage.redis("a"), stage.redis("b")
    follower.follow(leader.port)
    stage.in_step(leader, follower)
    return leader, follower


@scenario(short=True)
def tail_lost(stage):
    """The leader acknowledges what no longer reaches the follower, and dies: the loss is a tail, and it is seen."""
    leader, follower, proxy = stage.proxied_pair()
    _loss_is_seen(stage, leader, follower, proxy.cut)


@scenario()
def redis_tail_lost(stage):
    """A pair of redis-server in the same scenario: the checkers must find the loss."""
    leader, follower = stage.redis("a"), stage.redis("b")
    proxy = Proxy(lambda: leader.port, Faults())
    stage.proxies.append(proxy)
    follower.follow(proxy.port)
    stage.in_step(leader, follower)

    def cut():
        proxy.faults.refusing = True
        proxy.sever()

    _loss_is_seen(stage, leader, follower, cut)


def _loss_is_seen(stage, leader, follower, cut):
    with stage.load(leader) as load:
        load.progress(500)
        cut()
        load.progress(500)
        leader.kill()
        load.stop()
    follower.lead()
    left, lost = stage.only_tail_lost(load, follower)
    stage.expect(lost, "writes were lost, and no evidence of it was found")
    stage.expect(check_all(load.history, left, Snapshot()), "writes were lost, and no checker noticed")


@scenario()
def redis_killed(stage):
    """A pair of redis-server, leaders killed under plain load until acknowledged writes are seen to be lost."""
    lost = 0
    for _ in range(40):
        lost += _leader_killed(stage, redis_pair(stage), 0, padding=5000)
        stage.close()
        if lost:
            break
    stage.expect(lost, "redis-server lost nothing in 40 rounds: the load is too weak to find losses")


def _stand_still(stage, leader, follower, victim):
    with stage.load(leader, timeout=1.5) as load, stage.watcher(follower, load.keys) as watcher:
        for _ in range(stage.some(2)):
            load.progress(300)
            victim.pause()
            time.sleep(stage.random.uniform(0.3, 0.3 + 2.7 * min(1, stage.size - 0.3)))
            victim.go_on()
        load.progress(300)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)


@scenario(short=True)
def follower_stopped(stage):
    """SIGSTOP and SIGCONT of the follower: nobody is lost, reads from it never go back."""
    leader, follower = stage.pair()
    _stand_still(stage, leader, follower, follower)


@scenario(short=True)
def leader_stopped(stage):
    """SIGSTOP and SIGCONT of the leader: clients see late replies or none, and histories stay linearizable."""
    leader, follower = stage.pair()
    _stand_still(stage, leader, follower, leader)


@scenario(short=True)
def failover(stage):
    """FAILOVER back and forth under load: no acknowledged write is lost. The pauses are told, not judged."""
    one, other = stage.pair()
    pauses = []
    with stage.load(stage.leader_port(one, other)) as load:
        for _ in range(stage.some(4)):
            load.progress(300)
            began, done = time.monotonic(), len(load.history.ops)
            one.command("FAILOVER")
            wait_until(other.leads, f"{other.name} leads after FAILOVER")
            wait_until(lambda: any(op.start > began and op.kind != "get" and op.kind != "look"
                                   for op in load.history.ops[done:]), "writes go on")
            pauses.append(time.monotonic() - began)
            stage.caught_up(other, one)
            one, other = other, one
        load.progress(300)
        load.stop()
    stage.note("until writes went on: " + ", ".join(f"{pause * 1000:.0f} ms" for pause in pauses))
    stage.in_step(one, other)
    stage.nothing_lost(load, one, reads=False)


@scenario(short=True)
def failover_to_killed(stage):
    """FAILOVER while the follower is stopped, or killed and restarted: it is given up or done, and nothing is lost."""
    one, other = stage.pair("--repl-timeout", "2")
    with stage.load(stage.leader_port(one, other)) as load:
        for _ in range(stage.some(3)):
            load.progress(300)
            other.pause()
            load.progress(300)
            one.command("FAILOVER", "TIMEOUT", "300")
            if stage.random.random() < 0.5:
                other.kill()
                other.restart()
                other.follow(one.port)
            wait_until(lambda: one.info()["master_failover_state"] == "no-failover", "FAILOVER has ended")
            other.go_on()
            load.progress(300)
            if not one.leads():
                one, other = other, one
            stage.caught_up(one, other)
        load.stop()
    stage.expect(one.leads() and not other.leads(), "not exactly one of the two leads")
    stage.in_step(one, other)
    stage.nothing_lost(load, one, reads=False)


@scenario(short=True)
def chain(stage):
    """Three in a chain: the one in the middle is killed, then the first; the second is promoted; the third follows on."""
    first, second, third = (stage.node(name) for name in "abc")
    second.follow(first.port)
    third.follow(second.port)
    stage.in_step(first, second, third)
    load = stage.load(first, name="c")
    with load, stage.watcher(third, load.keys) as watcher:
        load.progress(500)
        second.kill()
        second.restart()
        second.follow(first.port)
        stage.caught_up(first, second, third)
        load.progress(500)
        first.kill()
        load.stop()
    before = third.log_text().count("full synchronisation of about")
    second.lead()
    left, _ = stage.only_tail_lost(load, second)
    stage.whole(watcher, load)
    with stage.load(second, name="d") as load:
        load.progress(300)
        first.restart()
        first.follow(third.port)
        stage.caught_up(second, third, first)
        load.progress(300)
    stage.in_step(second, third, first)
    stage.nothing_lost(load, second, left)
    after = third.log_text().count("full synchronisation of about")
    stage.expect(after == before, "the third of a chain needed full synchronisation when the second was promoted")


@scenario(short=True)
def replicas_required(stage):
    """min-replicas-to-write 1 and a follower that is killed: writes are refused, then go on; nothing is lost."""
    leader, follower = stage.pair("--min-replicas-to-write", "1", "--min-replicas-max-lag", "1")
    with stage.load(leader) as load:
        for _ in range(stage.some(2)):
            load.progress(300)
            refused = load.history.refusals["NOREPLICAS"]
            follower.kill()
            wait_until(lambda: load.history.refusals["NOREPLICAS"] > refused, "writes are refused")
            follower.restart()
            follower.follow(leader.port)
            stage.caught_up(leader, follower)
            wait_until(lambda: leader.info().get("min_slaves_good_slaves") == "1", "the follower counts")
        load.progress(300)
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)


@scenario(short=True)
def semi_cut(stage):
    """replication-mode semi while the follower is cut off: -UNKNOWN, no loss of what is acknowledged, then all goes on."""
    leader, follower, proxy = stage.proxied_pair("--replication-mode", "semi", "--replication-timeout", "300")
    with stage.load(leader, sure=True) as load:
        for _ in range(stage.some(2)):
            load.progress(200)
            unknown = load.history.refusals["UNKNOWN"]
            proxy.cut()
            wait_until(lambda: load.history.refusals["UNKNOWN"] > unknown + 3, "writes are not confirmed")
            proxy.heal()
            stage.caught_up(leader, follower)
            load.progress(200)
        proxy.cut()
        wait_until(lambda: load.history.refusals["UNKNOWN"] > unknown + 3, "writes are not confirmed")
        leader.kill()
        load.stop()
    follower.lead()
    stage.only_tail_lost(load, follower)


@scenario(short=True)
def failover_cut(stage):
    """The answer to a FAILOVER does not come: there must not be two leaders that both take writes."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "2")
    with stage.load(leader) as load:
        load.progress(300)
    stage.in_step(leader, follower)
    follower.command("CONFIG", "SET", "replica-announce-port", follower.port)
    proxy.faults.hold("forth")
    leader.command("FAILOVER")
    time.sleep(0.5)
    if not follower.leads():
        stage.note("the order to take over did not arrive")
    wait_until(lambda: leader.info()["master_failover_state"] == "no-failover", "FAILOVER has ended")
    stage.expect(not (leader.leads() and follower.leads()), "two leaders after FAILOVER")
