"""What scenarios are made of: nodes, proxies, waiting for replicas, and the judgement at the end."""

import random

import checkers
from client import BROKEN
from history import Snapshot
from load import Keys, Load, Watcher
from netns import Network
from nodes import PATIENCE, Failure, Node, RedisNode, wait_until
from proxy import NodeProxy
from shard import Shard
from shard_load import ShardLoad, Watchers

SCENARIOS = {}


def scenario(short=False, known=None):
    """Registers a function of a Stage under its name. `short`: in the short form too. `known`: a defect that it shows;
    it runs by name only."""

    def register(function):
        SCENARIOS[function.__name__] = function
        function.short, function.known = short, known
        return function

    return register


class Stage:
    """One round of a scenario. `size` scales how much happens."""

    def __init__(self, server, folder, seed, size=1.0):
        self.server, self.folder, self.seed, self.size = server, folder, seed, size
        self.random = random.Random(seed)
        self.nodes, self.proxies, self.arbiters, self.networks = [], [], [], []
        self.problems, self.notes = [], []

    # --- to begin with ---

    def node(self, name, *args):
        node = Node(name, self.server, self.folder, args)
        self.nodes.append(node)
        return node.start()

    def redis(self, name, *args):
        node = RedisNode(name, self.folder, args)
        self.nodes.append(node)
        return node.start()

    def pair(self, *args):
        """A leader and its follower, in step."""
        leader, follower = self.node("a", *args), self.node("b", *args)
        follower.follow(leader.port)
        self.in_step(leader, follower)
        return leader, follower

    def proxied_pair(self, *args):
        """The same, with a proxy on the follower's way to the leader."""
        leader, follower = self.node("a", *args), self.node("b", *args)
        proxy = self.proxy(leader)
        follower.follow(proxy.port)
        self.in_step(leader, follower)
        return leader, follower, proxy

    def proxy(self, node):
        proxy = NodeProxy(node, self.seed)
        self.proxies.append(proxy)
        return proxy

    def load(self, target, **options):
        """Of a node, or of the node whose port a function tells."""
        port = target if callable(target) else lambda: target.port
        return Load(self.seed, port, **options)

    def shard(self, mode, *args, **options):
        """Three nodes and an arbiter; all that live at the end must end in order."""
        shard = Shard(self.server, self.folder, mode, args=args, **options)
        self.arbiters.append(shard.arbiter)
        self.nodes += shard.nodes
        return shard.start()

    def network(self):
        """Hosts for a shard, between which the ways can be cut."""
        self.networks.append(Network([*Shard.names, "arbiter"]))
        return self.networks[-1]

    def shard_load(self, shard, **options):
        return ShardLoad(self.seed, shard, **options)

    def shard_watchers(self, shard, keys):
        return Watchers(self.seed, shard, keys)

    def watcher(self, node, keys):
        return Watcher(self.seed, node, keys)

    def some(self, count):
        return max(1, int(count * self.size))

    def leader_port(self, *nodes):
        """A target for a load that looks for whichever node leads."""
        return lambda: next((node.port for node in nodes if node.alive() and node.leads()), None)

    # --- meanwhile ---

    def note(self, text):
        self.notes.append(text)

    def caught_up(self, leader, *followers):
        """Waits until followers are in the leader's log, where it ended when this began. Writes may go on."""
        end = leader.offset()
        for follower in followers:
            wait_until(lambda: self._quietly(lambda: self._is_past(leader, follower, end)),
                       lambda: self._state(follower, f"it has caught up with {leader.name}, at {end}"))

    @staticmethod
    def _is_past(leader, follower, end):
        info = follower.info()
        return (info.get("master_link_status") == "up" and info["master_replid"] == leader.info()["master_replid"]
                and int(info["master_repl_offset"]) >= end)

    def in_step(self, leader, *followers):
        """Waits until followers have all that the leader has, and says so by equal digests. Writes have stopped."""
        for follower in followers:
            wait_until(lambda: self._quietly(lambda: self._equal(leader, follower)),
                       lambda: self._state(follower, f"it has what {leader.name} has") + self._difference(leader, follower))

    def _equal(self, leader, follower):
        before = leader.offset()
        if not follower.link_is_up() or follower.offset() != before:
            return False
        same = leader.digest() == follower.digest()
        return same and leader.offset() == before

    @staticmethod
    def _quietly(question):
        try:
            return question()
        except (*BROKEN, Failure):
            return False

    def _state(self, follower, what):
        try:
            return f"{follower.name}: {what}; its INFO: {follower.info()}"
        except (*BROKEN, Failure) as problem:
            return f"{follower.name}: {what}; it does not answer: {problem}"

    def _difference(self, leader, follower, most=5):
        """Keys whose values differ."""
        try:
            where = [node.command("DEBUG", "DIGEST") for node in (leader, follower)]
            offsets = [node.info()["master_repl_offset"] for node in (leader, follower)]
            keys = sorted({key for node in (leader, follower) for key in node.command("KEYS", "*")})
            differ = [key for key in keys[:20000] if self._looks(leader, key) != self._looks(follower, key)]
            shown = [f"{key.decode()}: {self._looks(leader, key)} and {self._looks(follower, key)}" for key in differ[:most]]
        except (*BROKEN, Failure) as problem:
            return f"; (cannot compare: {problem})"
        return f"; offsets {offsets}, digests {where}, {len(differ)} keys of database 0 differ: {shown}"

    @staticmethod
    def _looks(node, key):
        return node.command("DEBUG", "DIGEST-VALUE", key)

    # --- at the end ---

    def check(self, problems):
        self.problems += problems

    def expect(self, holds, problem):
        if not holds:
            self.problems.append(problem)

    def nothing_lost(self, load, leader, initial=None, reads=True):
        """All that was acknowledged is there, and what was read fits."""
        history = load.stop()
        final = load.keys.snapshot(leader)
        self.note(f"{history.acknowledged()} operations acknowledged, {history.unknown()} unknown, "
                  f"refused {dict(history.refusals)}")
        self.check(history.surprises[:5])
        self.check(checkers.check_all(history, final, initial or Snapshot(), reads))
        return final

    def only_tail_lost(self, load, survivor, initial=None):
        """The rest of a history after its leader died: no gap, nothing confirmed missing, nothing invented."""
        history = load.stop()
        left = load.keys.snapshot(survivor)
        survived, lost = checkers.evidence(history, left)
        confirmed = sum(op.confirmed for op in history.ops)
        self.note(f"{history.acknowledged()} operations acknowledged, {confirmed} confirmed, {history.unknown()} unknown, "
                  f"{len(lost)} seen to be lost")
        self.check(history.surprises[:5])
        self.check(checkers.check_tail(survived, lost))
        self.check(checkers.check_confirmed(lost))
        self.check(checkers.check_strange(history, left, initial or Snapshot()))
        return left, lost

    def whole(self, watcher, load, initial=None, ascending=False):
        """What was read from a follower."""
        writes = load.history.by_key("group")
        self.note(f"{len(watcher.looks)} reads of groups from {watcher.node.name}")
        for group in load.keys.groups:
            looks = [look for look in watcher.looks if look.key == group]
            before = (initial or Snapshot()).groups.get(group, (None,))[0]
            self.check(checkers.check_whole(looks, writes.get(group, []), before, group))
            if ascending:
                self.check(checkers.check_ascending(looks, writes.get(group, []), group))

    def all_whole(self, watchers, load):
        for watcher in watchers.all:
            self.whole(watcher, load)

    def close(self):
        """Ends all nodes; whoever goes on begins with new ones."""
        for proxy in self.proxies:
            proxy.heal()
            proxy.close()
        for network in self.networks:
            network.heal()
        for node in self.nodes:
            node.end()
            self.problems += node.crashed
        for arbiter in self.arbiters:
            arbiter.end()
        for network in self.networks:
            network.close()
        self.proxies, self.nodes, self.arbiters, self.networks = [], [], [], []


__all__ = ["PATIENCE", "SCENARIOS", "Failure", "Keys", "Stage", "scenario", "wait_until"]
