"""Counts comparisons and prints the differences."""

import sys

from quoting import escape


class Report:
    def __init__(self, shown_limit=40, out=sys.stdout):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.shown_limit = shown_limit
        self.out = out

    def ok(self, count=1):
        self.passed += count

    def difference(self, where, lines, repeat, count=1):
        """One failure: a heading, `lines` that explain it, and the command that shows it again."""
        self.failed += count
        self.shown_limit -= 1
        if self.shown_limit < 0:
            if self.shown_limit == -1:
                self.say("\n(more differences are counted, not shown; --show N for more)")
            return
        self.say(f"\nDIFFERENCE {where}")
        for line in lines:
            self.say(f"  {line}")
        self.say(f"  repeat:  {repeat}")

    def skip(self, what):
        self.skipped += 1
        self.say(f"pending: {what}")

    def say(self, text):
        print(text, file=self.out, flush=True)

    def end(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        self.say(f"{self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed else 0


def reply_lines(ours, theirs, names):
    """Both replies, escaped; where they are long, from shortly before they part."""
    start = max(_parting(ours, theirs) - 200, 0) if theirs is not None else 0
    width = max(map(len, names))
    lines = [_shown(names[0].ljust(width), ours, start)]
    if theirs is not None:
        lines.append(_shown(names[1].ljust(width), theirs, start))
    return lines


def _parting(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return 0
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def _shown(name, reply, start):
    if isinstance(reply, str):
        return f"{name} > {reply}"  # no reply: what happened instead
    lead = f"(from byte {start}) ..." if start else ""
    return f"{name} > {lead}{escape(reply[start:], 1200)}"
