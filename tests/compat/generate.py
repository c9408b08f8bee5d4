"""The random command stream: strings, lists, generic keys, TTLs, transactions."""

import random

import compare
from arguments import PATTERNS, Arguments
from resp import frame_end

NEAR_SECONDS, NEAR_MILLISECONDS = compare.integer_within(3), compare.integer_within(3000)

_COMPARATORS = {
    b"TTL": NEAR_SECONDS, b"EXPIRETIME": NEAR_SECONDS, b"PTTL": NEAR_MILLISECONDS, b"PEXPIRETIME": NEAR_MILLISECONDS,
    b"KEYS": compare.SORTED, b"OBJECT": compare.ENCODING, b"RANDOMKEY": compare.SAME_TYPE,
}
_NOT_QUEUED = {b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"RESET", b"QUIT"}
_NEVER_SPOILED = _NOT_QUEUED | {b"SCAN"}  # a shorter SCAN is a valid one, in an order of its own


class Generator:
    """next(connection) gives the next commands, as (args, comparator); some come in pairs."""

    def __init__(self, seed):
        self.pick = Arguments(random.Random(seed))
        self.queued = {}  # connection -> comparators of the commands its MULTI has queued
        self.makers = [maker for maker, _ in _WEIGHTS]
        self.weights = []
        total = 0
        for _, weight in _WEIGHTS:
            total += weight
            self.weights.append(total)

    def next(self, connection):
        pick = self.pick
        if connection in self.queued and pick.below(0.22):
            made = [[b"EXEC"] if pick.below(0.9) else [b"DISCARD"]]
        else:
            maker = pick.rng.choices(self.makers, cum_weights=self.weights)[0]
            made = maker(pick)
            if not isinstance(made[0], list):
                made = [made]
        return [self._finish(connection, args, may_spoil=len(made) == 1) for args in made]

    def _finish(self, connection, args, may_spoil):
        pick = self.pick
        if may_spoil and pick.below(0.012) and args[0] not in _NEVER_SPOILED:
            args = _spoil(pick, args)
        name = args[0].upper()
        comparator = _COMPARATORS.get(name, compare.EXACT)
        comparator = self._track(connection, name, len(args), comparator)
        return [pick.cased(args[0]), *args[1:]], comparator

    def _track(self, connection, name, arity, comparator):
        """Follows MULTI so that EXEC's reply is compared element by element."""
        queue = self.queued.get(connection)
        if name == b"MULTI" and arity == 1:
            self.queued.setdefault(connection, [])
        elif name in (b"EXEC", b"DISCARD", b"RESET") and arity == 1:
            self.queued.pop(connection, None)
            if queue and name == b"EXEC":
                return _exec_comparator(queue)
        elif queue is not None and name not in _NOT_QUEUED:
            queue.append(comparator)
        return comparator

    def forget_connections(self):
        self.queued.clear()


def _exec_comparator(comparators):
    def same(ours, theirs):
        if ours == theirs:
            return True
        mine, other = _elements(ours), _elements(theirs)
        return len(mine) == len(other) == len(comparators) and all(
            c.same(m, o) for c, m, o in zip(comparators, mine, other))

    return compare.Comparator("exec", same)


def _elements(raw):
    """Raw elements of an array."""
    if raw[:1] != b"*":
        return []
    at, elements = raw.find(b"\r\n") + 2, []
    while at < len(raw):
        end = frame_end(raw, at)
        elements.append(raw[at:end])
        at = end
    return elements


def _spoil(pick, args):
    """Wrong arity, an option nobody knows, or a command nobody knows."""
    roll = pick.random()
    if roll < 0.4 and len(args) > 2:
        return args[: pick.rng.randint(1, len(args) - 1)]
    if roll < 0.9:
        return [*args, *(pick.value() for _ in range(pick.rng.randint(1, 2)))]
    return [pick.choice([b"NOSUCH", b"", b"GE", b"SETT", b"x" * 200]), *args[1:]]


def _fixed(name, *parts):
    """A command whose arguments are each drawn by one method of Arguments, or constant."""

    def make(pick):
        return [name, *(getattr(pick, part)() if isinstance(part, str) else part for part in parts)]

    return make


def _set(pick):
    options, past = [], False
    for _ in range(pick.choice([0, 0, 0, 1, 1, 1, 2, 2, 3])):
        roll = pick.random()
        if roll < 0.35:
            options.append(pick.cased(pick.choice([b"NX", b"XX"])))
        elif roll < 0.5:
            options.append(pick.cased(b"GET"))
        elif roll < 0.65:
            options.append(pick.cased(b"KEEPTTL"))
        elif roll < 0.93:
            options += _expiry_option(pick)
        elif roll < 0.96:
            options += [pick.choice([b"EXAT", b"PXAT"]), b"1"]
            past = True
        else:
            options.append(pick.choice([b"FOO", b"EX", b"PX", b"", b"PERSIST", b"XXX"]))
    key = pick.key()
    command = [b"SET", key, pick.value(), *options]
    return [command, [b"GET", key]] if past else command  # the read makes a lazily expired key go at once


def _expiry_option(pick):
    name, draw = pick.choice([(b"EX", pick.seconds), (b"PX", pick.milliseconds), (b"EXAT", pick.unix_seconds), (b"PXAT", pick.unix_milliseconds)])
    value = draw() if pick.below(0.95) else pick.choice([b"0", b"-1"])
    return [pick.cased(name), value]


def _getex(pick):
    roll = pick.random()
    if roll < 0.25:
        options = []
    elif roll < 0.5:
        options = [pick.cased(b"PERSIST")]
    elif roll < 0.9:
        options = _expiry_option(pick)
    else:
        options = [pick.choice([b"KEEPTTL", b"NX", b"EX", b"PERSIST"]), *_expiry_option(pick)]
    return [b"GETEX", pick.key(), *options]


def _expire(pick):
    name, draw = pick.choice([(b"EXPIRE", pick.seconds), (b"PEXPIRE", pick.milliseconds),
                              (b"EXPIREAT", pick.unix_seconds), (b"PEXPIREAT", pick.unix_milliseconds)])
    options = [pick.cased(pick.choice([b"NX", b"XX", b"GT", b"LT"])) for _ in range(pick.choice([0, 0, 1, 1, 1, 2]))]
    if pick.below(0.03):
        options.append(b"AB")
    return [name, pick.key(), pick.past() if pick.below(0.08) else draw(), *options]


def _pairs(name):
    def make(pick):
        args = [name]
        for _ in range(pick.rng.randint(1, 4)):
            args += [pick.key(), pick.value()]
        return args if pick.below(0.96) else args[:-1]

    return make


def _many(name, most=4):
    return lambda pick: [name, *pick.keys(most)]


def _lcs(pick):
    options = []
    for _ in range(pick.choice([0, 0, 1, 2, 3])):
        options += pick.choice([[b"LEN"], [b"IDX"], [b"WITHMATCHLEN"], [b"MINMATCHLEN", pick.integer()], [b"IDX"], [b"FOO"]])
    return [b"LCS", pick.key(), pick.key(), *map(pick.cased, options)]


def _copy(pick):
    options = []
    if pick.below(0.4):
        options += [pick.cased(b"DB"), pick.database()]
    if pick.below(0.5):
        options.append(pick.cased(b"REPLACE"))
    if pick.below(0.03):
        options.append(b"FOO")
    return [b"COPY", pick.key(), pick.key(), *options]


def _object(pick):
    return [b"OBJECT", pick.cased(pick.choice([b"ENCODING"] * 12 + [b"FREQ", b"FOO"])), pick.key()]


def _flush(pick):
    name = pick.choice([b"FLUSHDB", b"FLUSHDB", b"FLUSHALL"])
    return [name, *pick.choice([[], [], [b"SYNC"], [b"ASYNC"], [b"FOO"], [b"SYNC", b"ASYNC"]])]


def _scan_error(pick):
    return [b"SCAN", *pick.choice([[b"abc"], [b"-1", b"MATCH"], [b"0", b"COUNT", b"0"], [b"0", b"COUNT", b"x"], [b"0", b"FOO", b"1"], [b"1x"]])]


def _setrange(pick):
    offset = pick.offset() if pick.below(0.97) else pick.choice([b"536870912", b"536870911999", b"4294967296"])
    return [b"SETRANGE", pick.key(), offset, pick.value() if pick.below(0.95) else b""]


def _push(name):
    return lambda pick: [name, pick.list_key(), *pick.elements()]


def _pop(name):
    return lambda pick: [name, pick.list_key(), *([pick.offset()] if pick.below(0.3) else [])]


def _lpos(pick):
    options = []
    for _ in range(pick.choice([0, 0, 1, 1, 2, 3])):
        options += [pick.cased(pick.choice([b"RANK", b"COUNT", b"MAXLEN"])), pick.index()]
    return [b"LPOS", pick.list_key(), pick.element(), *options]


def _lmpop(pick):
    keys = [pick.list_key() for _ in range(pick.rng.randint(1, 3))]
    number = b"%d" % len(keys) if pick.below(0.95) else pick.index()
    options = [pick.cased(b"COUNT"), pick.index()] if pick.below(0.4) else []
    return [b"LMPOP", number, *keys, pick.end(), *options]


def _linsert(pick):
    where = pick.choice([b"BEFORE", b"AFTER"]) if pick.below(0.97) else b"AT"
    return [b"LINSERT", pick.list_key(), pick.cased(where), pick.element(), pick.element()]


_LIST_WEIGHTS = [
    (_push(b"LPUSH"), 45), (_push(b"RPUSH"), 45), (_push(b"LPUSHX"), 8), (_push(b"RPUSHX"), 8), (_pop(b"LPOP"), 25), (_pop(b"RPOP"), 25),
    (_fixed(b"LLEN", "list_key"), 10), (_fixed(b"LINDEX", "list_key", "index"), 20), (_fixed(b"LRANGE", "list_key", "index", "index"), 25),
    (_fixed(b"LRANGE", "list_key", b"0", b"-1"), 10), (_fixed(b"LSET", "list_key", "index", "element"), 25), (_linsert, 25),
    (_fixed(b"LREM", "list_key", "index", "element"), 25), (_fixed(b"LTRIM", "list_key", "index", "index"), 6), (_lpos, 25),
    (_fixed(b"LMOVE", "list_key", "list_key", "end", "end"), 25), (_fixed(b"RPOPLPUSH", "list_key", "list_key"), 10), (_lmpop, 15),
    (_fixed(b"RENAME", "list_key", "list_key"), 4), (_fixed(b"COPY", "list_key", "list_key", b"REPLACE"), 8), (_fixed(b"TYPE", "list_key"), 3),
    (_fixed(b"OBJECT", b"ENCODING", "list_key"), 3), (_fixed(b"EXPIRE", "list_key", "seconds"), 5), (_fixed(b"TTL", "list_key"), 3),
]

_WEIGHTS = [
    *_LIST_WEIGHTS,
    (_set, 120), (_fixed(b"GET", "key"), 60), (_fixed(b"APPEND", "key", "value"), 25), (_fixed(b"STRLEN", "key"), 15),
    (_fixed(b"INCR", "key"), 20), (_fixed(b"DECR", "key"), 20), (_fixed(b"INCRBY", "key", "integer"), 30),
    (_fixed(b"DECRBY", "key", "integer"), 30), (_fixed(b"INCRBYFLOAT", "key", "float"), 40),
    (_fixed(b"GETRANGE", "key", "offset", "offset"), 20), (_fixed(b"SUBSTR", "key", "offset", "offset"), 5), (_setrange, 20),
    (_fixed(b"GETSET", "key", "value"), 10), (_fixed(b"GETDEL", "key"), 12), (_getex, 30), (_fixed(b"SETNX", "key", "value"), 12),
    (_fixed(b"SETEX", "key", "seconds", "value"), 12), (_fixed(b"PSETEX", "key", "milliseconds", "value"), 12),
    (_pairs(b"MSET"), 12), (_pairs(b"MSETNX"), 12), (_many(b"MGET"), 15), (_lcs, 15),
    (_many(b"DEL", 3), 12), (_many(b"UNLINK", 3), 8), (_many(b"EXISTS"), 15), (_many(b"TOUCH"), 8), (_fixed(b"TYPE", "key"), 12),
    (_expire, 90), (_fixed(b"TTL", "key"), 20), (_fixed(b"PTTL", "key"), 20), (_fixed(b"EXPIRETIME", "key"), 12),
    (_fixed(b"PEXPIRETIME", "key"), 12), (_fixed(b"PERSIST", "key"), 15), (_fixed(b"RENAME", "key", "key"), 15),
    (_fixed(b"RENAMENX", "key", "key"), 15), (_copy, 25), (_fixed(b"MOVE", "key", "database"), 15),
    (lambda pick: [b"KEYS", pick.choice(PATTERNS)], 10), (_fixed(b"RANDOMKEY"), 4), (_fixed(b"DBSIZE"), 8), (_flush, 1.5),
    (_fixed(b"SWAPDB", "database", "database"), 4), (_fixed(b"SELECT", "database"), 12), (_object, 30), (_scan_error, 2),
    (_fixed(b"ECHO", "value"), 4), (_fixed(b"PING", "value"), 3), (_fixed(b"PING"), 2), 
    (_fixed(b"MULTI"), 18), (_many(b"WATCH", 3), 14), (_fixed(b"UNWATCH"), 4), (_fixed(b"EXEC"), 2), (_fixed(b"DISCARD"), 2),
    (_fixed(b"RESET"), 1), (_fixed(b"CLIENT", b"GETNAME"), 1), (_fixed(b"OBJECT", b"ENCODING"), 0.5),
]
