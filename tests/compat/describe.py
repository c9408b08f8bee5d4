#!/usr/bin/python3
"""Prints rows for server/commands from what redis-server says of its commands: tests/compat/describe.py getex config

A row is complete but for its handler and locks; a container brings its subcommands with it. The facts are those of
COMMAND INFO and COMMAND DOCS of redis-server 7.0.
"""

import argparse
import re
import sys

import servers
from resp import Connection, decode

# Categories that follow from the flags; "slow" from the lack of "fast".
IMPLIED = {"readonly": ["read"], "write": ["write"], "admin": ["admin", "dangerous"], "fast": ["fast"],
           "blocking": ["blocking"], "pubsub": ["pubsub"]}
FLAGS = {"readonly": "ReadOnly", "denyoom": "DenyOom", "pubsub": "PubSub", "noscript": "NoScript",
         "movablekeys": "MovableKeys"}
CATEGORIES = {"sortedset": "SortedSet", "hyperloglog": "HyperLogLog", "pubsub": "PubSub"}
GROUPS = {"sorted-set": "SortedSet", "hyperloglog": "HyperLogLog", "pubsub": "PubSub"}
PLAIN_TOKEN = re.compile(r"[A-Z0-9_-]+")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_/-]+")


def camel(word):
    return "".join(part.capitalize() for part in re.split("[-_]", word))


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def names(values):
    return [text(value).lstrip("+@") for value in values]


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def word(value, plain):
    return value if plain.fullmatch(value) else "'" + value + "'"


def argument(fields):
    """One argument in the notation of server/commands/argument_spec.h."""
    fields = {text(key): value for key, value in fields}
    flags = names(fields.get("flags", []))
    kind = text(fields["type"])
    spec = word(text(fields["name"]), PLAIN_NAME) + ("" if kind == "string" else ":" + kind)
    if "key_spec_index" in fields:
        spec += "#" + text(fields["key_spec_index"]).lstrip(":")
    if "token" in fields:
        spec += "=" + word(text(fields["token"]), PLAIN_TOKEN)
    spec += "".join(sign for flag, sign in (("optional", "?"), ("multiple", "*"), ("multiple_token", "+")) if flag in flags)
    if "since" in fields:
        spec += "@" + text(fields["since"])
    if "deprecated_since" in fields:
        spec += "~" + text(fields["deprecated_since"])
    if "arguments" in fields:
        spec += "(" + " ".join(argument(inner) for inner in fields["arguments"]) + ")"
    return spec


def search(fields):
    """A key specification as KeySearch."""
    fields = {text(key): value for key, value in fields}
    parts = [f'.flags = "{" ".join(names(fields["flags"]))}"']
    if "notes" in fields:
        parts.append(f".notes = {quoted(text(fields['notes']))}")
    begin = {text(key): value for key, value in fields["begin_search"]}
    where = {text(key): text(value).lstrip(":") for key, value in begin["spec"]}
    if text(begin["type"]) != "index":
        parts.append(f".begin = KeySearch::Begin::{camel(text(begin['type']))}")
    if "index" in where or "startfrom" in where:
        parts.append(f".index = {where.get('index', where.get('startfrom'))}")
    if "keyword" in where:
        parts.append(f'.keyword = "{where["keyword"]}"')
    find = {text(key): value for key, value in fields["find_keys"]}
    how = {text(key): text(value).lstrip(":") for key, value in find["spec"]}
    if text(find["type"]) != "range":
        parts.append(f".find = KeySearch::Find::{'KeyNumber' if text(find['type']) == 'keynum' else 'Unknown'}")
    defaults = {"lastkey": "0", "keynumidx": "0", "keystep": "1", "limit": "0", "firstkey": "1"}
    members = {"lastkey": "last", "keynumidx": "last", "keystep": "step", "limit": "limit", "firstkey": "first_key"}
    parts += [f".{members[key]} = {how[key]}" for key in defaults if key in how and how[key] != defaults[key]]
    return "KeySearch{" + ", ".join(parts) + "}"


def follows(fields, first, last, step):
    """Whether COMMAND INFO's specification is what KeySpec's first, last and step say."""
    plain = f".index = {first}"
    found = search(fields)
    reach = last if last < 0 else last - first
    return (plain in found and ".begin" not in found and ".find" not in found and ".limit" not in found
            and (f".last = {reach}" in found or (reach == 0 and ".last" not in found))
            and (f".step = {step}" in found or (step == 1 and ".step" not in found)))


def keys(info):
    first, last, step = (int(text(info[at]).lstrip(":")) for at in (3, 4, 5))
    specs = info[8]
    if not specs:
        return None, None
    where = [f".first = {first}, .last = {last}, .step = {step}"] if first else []
    if len(specs) == 1 and first and follows(specs[0], first, last, step):
        fields = {text(key): value for key, value in specs[0]}
        where.append(f'.flags = "{" ".join(names(fields["flags"]))}"')
        if "notes" in fields:
            where.append(f".notes = {quoted(text(fields['notes']))}")
        return "{" + ", ".join(where) + "}", None
    constant = "k" + camel(text(info[0]).replace("|", "-")) + "Searches"
    listed = ", ".join(search(spec) for spec in specs)
    where.append(f".searches = {constant}")
    return "{" + ", ".join(where) + "}", f"constexpr std::array {constant}{{{listed}}};\n"


def row(info, docs, constants):
    name = text(info[0]).split("|")[-1]
    flags = names(info[2])
    implied = {"slow"}.union(*(IMPLIED.get(flag, []) for flag in flags))
    categories = [one for one in names(info[6]) if one not in implied]
    docs = {text(key): value for key, value in docs}
    fields = [f'.name = "{name}"', f".arity = {text(info[1]).lstrip(':')}"]
    if flags:
        fields.append(".flags = " + " | ".join("k" + FLAGS.get(flag, camel(flag)) for flag in flags))
    where, constant = keys(info)
    if where:
        fields.append(f".keys = {where}")
    if constant:
        constants.append(constant)
    if categories:
        fields.append(".categories = " + " | ".join("kCat" + CATEGORIES.get(one, camel(one)) for one in categories))
    group = text(docs["group"])
    fields.append(f".group = Group::{GROUPS.get(group, camel(group))}")
    for member in ("since", "summary", "complexity"):
        if member in docs:
            fields.append(f".{member} = {quoted(text(docs[member]).strip())}")
    subcommands = dict(docs.get("subcommands", []))
    if info[9]:
        rows = sorted((row(sub, subcommands[sub[0]], constants) for sub in info[9]))
        constants.append(f"constexpr std::array k{camel(name)}Subcommands{{\n" + ",\n".join(rows) + "};\n")
        fields.append(f".subcommands = k{camel(name)}Subcommands")
    else:
        fields.append(f".handler = {text(info[0]).replace('|', '_').replace('-', '_')}")
    if info[7]:
        fields.append(f'.tips = "{" ".join(names(info[7]))}"')
    if "arguments" in docs:
        fields.append(f".arguments = {quoted(' '.join(argument(one) for one in docs['arguments']))}")
    for member in ("deprecated_since", "replaced_by"):
        if member in docs:
            fields.append(f".{member} = {quoted(text(docs[member]))}")
    if "history" in docs:
        changes = [f"{text(version)} {text(what)}" for version, what in docs["history"]]
        fields.append(f".history = {quoted(chr(10).join(changes))}")
    return "CommandRow{" + ",\n".join(fields) + "}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="+", help="a command with its subcommands, or one of them: config, config|get")
    wanted = parser.parse_args().command
    server = servers.oracle()
    try:
        connection = Connection(server.start().port)
        connection.command("HELLO", "3")
        infos = decode(connection.command("COMMAND", "INFO", *wanted))
        docs = dict(decode(connection.command("COMMAND", "DOCS", *wanted)))
        constants = []
        rows = [row(info, docs[info[0]], constants) for info in infos if info]
    finally:
        server.stop()
    sys.stdout.write("".join(constants) + "constexpr std::array kRows{\n" + ",\n".join(rows) + "};\n")


if __name__ == "__main__":
    main()
