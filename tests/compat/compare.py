"""Comparators: when two replies count as the same. The default is byte for byte."""

import re

from resp import Set, decode

_SECTION = re.compile(rb"^# (\S+)", re.M)
_FIELD = re.compile(rb"^([^#\s:][^:\r\n]*):", re.M)


class Comparator:
    """`same(ours, theirs)` decides. `theirs` is None where no oracle is asked, which only ~match allows."""

    def __init__(self, text, same):
        self.text = text
        self.same = same


EXACT = Comparator("exact", lambda ours, theirs: ours == theirs)


def _encoding(ours, theirs):
    """Since 7.2 a small list is a listpack; 7.0 calls every list a quicklist."""
    return ours == theirs or (ours, theirs) == (b"$8\r\nlistpack\r\n", b"$9\r\nquicklist\r\n")


ENCODING = Comparator("encoding", _encoding)


def integer_within(tolerance):
    return Comparator(f"int±{tolerance}", lambda ours, theirs: _int_near(ours, theirs, tolerance))


def _int_near(ours, theirs, tolerance):
    """Also true of equal replies; -1 and -2 (no TTL, no key) and nil are near to nothing but themselves."""
    if ours == theirs:
        return True
    if ours[:1] != theirs[:1] or ours[:1] not in b":$":
        return False
    try:
        mine, other = _number(ours), _number(theirs)
    except ValueError:
        return False
    return mine >= 0 and other >= 0 and abs(mine - other) <= tolerance


def _number(raw):
    return int(raw[1:-2]) if raw[:1] == b":" else int(raw.split(b"\r\n")[1])


def _sorted(ours, theirs):
    return ours[:1] == theirs[:1] and _ordered(decode(ours)) == _ordered(decode(theirs))


def _ordered(value):
    return sorted(map(repr, value)) if isinstance(value, list) else value


def _pairs(ours, theirs):
    """A map, or in RESP2 its flat list, whose pairs may come in any order."""
    return ours[:1] == theirs[:1] and _as_pairs(ours) == _as_pairs(theirs)


def _as_pairs(raw):
    value = decode(raw)
    if not isinstance(value, list):
        return value
    return sorted(value if raw[:1] == b"%" else zip(value[::2], value[1::2]), key=repr)


def _deep(ours, theirs):
    """Arrays, sets and maps at every depth may be in any order; a set is no array."""
    return ours[:1] == theirs[:1] and _canonical(decode(ours)) == _canonical(decode(theirs))


def _canonical(value):
    if isinstance(value, (list, tuple)):
        inner = [_canonical(item) for item in value]
        return ("~(" if isinstance(value, Set) else "(") + " ".join(sorted(inner) if isinstance(value, list) else inner) + ")"
    return repr(value)


def _kind(raw):
    return b"nil" if raw[:3] in (b"$-1", b"*-1") or raw[:1] == b"_" else raw[:1]


def _same_type(ours, theirs):
    return _kind(ours) == _kind(theirs)


def _first_word(ours, theirs):
    return ours.split(None, 1)[:1] == theirs.split(None, 1)[:1]


def _info_fields(ours, theirs):
    return ours[:1] == theirs[:1] and not missing_info(ours, theirs)


def missing_info(ours, theirs):
    """Sections and fields of an INFO reply that `theirs` has and `ours` has not."""
    sections = set(_SECTION.findall(theirs)) - set(_SECTION.findall(ours))
    fields = set(_FIELD.findall(theirs)) - set(_FIELD.findall(ours))
    return sorted(b"# " + s for s in sections) + sorted(fields)


SORTED = Comparator("sorted", _sorted)
PAIRS = Comparator("pairs", _pairs)
DEEP = Comparator("deep", _deep)
SAME_TYPE = Comparator("type", _same_type)
SCAN = Comparator("scan", _sorted)  # the runner follows the cursor and hands over all elements as one array

_PLAIN = {
    "sorted": SORTED,
    "pairs": PAIRS,
    "deep": DEEP,
    "type": SAME_TYPE,
    "prefix": Comparator("prefix", _first_word),
    "info": Comparator("info", _info_fields),
    "scan": SCAN,
}


def named(word, argument):
    """The comparator `~word`; `argument` is the next argument of the line, for those that take one."""
    if word in _PLAIN:
        return _PLAIN[word]
    if word.startswith("int±"):
        return integer_within(int(word[4:]))
    if word == "match":
        return matching(argument)
    raise ValueError(f"unknown comparator ~{word}")


TAKES_ARGUMENT = {"match"}


def matching(pattern):
    """The raw reply matches, and the oracle's too where it is asked, so that a case cannot drift from what it claims."""
    regex = re.compile(pattern, re.S)
    return Comparator(
        f"match {pattern!r}",
        lambda ours, theirs: bool(regex.search(ours)) and (theirs is None or bool(regex.search(theirs))))
