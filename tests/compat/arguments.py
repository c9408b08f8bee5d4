"""Pools and pickers of arguments for random commands: a small key space and many edges."""

INT_MAX, INT_MIN = 2**63 - 1, -(2**63)

KEYS = [b"k%d" % n for n in range(17)] + [b"", b"bin\x00\xff\r\nkey", b"{tag}:a long key name that no inline buffer will hold in one piece"]
LISTS = [b"list%d" % n for n in range(5)]  # keys that list commands prefer; others meet them now and then
KEYS += LISTS
DATABASES = 4

NUMBERS = [b"0", b"1", b"-1", b"2", b"10", b"42", b"255", b"9999", b"10000", b"-10000", b"2147483648", b"-2147483649",
           b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806", b"9007199254740993"]
NOT_NUMBERS = [b"", b"abc", b"1.5", b" 1", b"1 ", b"01", b"+1", b"-0", b"--1", b"1e3", b"0x10", b"9223372036854775808",
               b"-9223372036854775809", b"99999999999999999999999", b"1\x00", b"-"]
FLOATS = [b"0.1", b"-0.1", b"3.0", b"3.14159265358979", b"1e5", b"-1.5e-3", b"0.000000000000000001", b"1e17", b"1e18", b"1e-20",
          b"123456789.123456789", b"5e-324", b"1e308", b"100000000000000000000", b"0x1p3", b"0.30000000000000004", b"-5.0e3", b".5", b"5."]
NOT_FLOATS = [b"", b"abc", b"nan", b"inf", b"-inf", b"1.5x", b" 1.5", b"1.5 ", b"1,5", b"1e", b"1e99999", b"infinity", b"1.0\x00"]
TEXTS = [b"", b"a", b"abc", b"hello world", b"007", b"+5", b"3.0", b"1e5", b"nan", b"\x00", b"\xff\xfe\x00\r\n", b"*1\r\n$4\r\nPING\r\n",
         b"x" * 43, b"x" * 44, b"x" * 45, b"9" * 18, b"9" * 19, b"9" * 20, b"1" * 21, b"abcabcabc", b"cabbage", b"ohmytext", b"mynewtext"]
PATTERNS = [b"*", b"k*", b"k?", b"k[1-3]", b"k[^1]*", b"k1[0-5]", b"[k", b"k\\1", b"", b"?", b"\\*", b"*1*", b"k[3-1]", b"**", b"{tag}*"]
OFFSETS = [b"0", b"1", b"2", b"5", b"20", b"100", b"-1", b"-2", b"-5", b"-100"]


class Arguments:
    """Draws from the pools. The stream depends on the random source alone, never on replies or the clock."""

    def __init__(self, rng):
        self.rng = rng
        self.random = rng.random
        self.choice = rng.choice

    def below(self, probability):
        return self.random() < probability

    def key(self):
        return self.choice(KEYS)

    def list_key(self):
        return self.choice(LISTS) if self.below(0.93) else self.key()

    def element(self):
        """From few values, so that searching for one finds some."""
        return self.value() if self.below(0.3) else self.choice([b"a", b"b", b"1", b"-70000", b"x" * 60])

    def elements(self):
        return [self.element() for _ in range(self.rng.randint(1, 5) if self.below(0.97) else 150)]

    def index(self):
        return b"%d" % self.rng.randint(-9, 9) if self.below(0.8) else self.offset()

    def end(self):
        return self.cased(self.choice([b"LEFT", b"RIGHT"])) if self.below(0.98) else b"MIDDLE"

    def keys(self, most=4):
        return [self.key() for _ in range(self.rng.randint(1, most))]

    def integer(self):
        roll = self.random()
        if roll < 0.45:
            return b"%d" % self.rng.randint(-100, 100)
        return self.choice(NUMBERS) if roll < 0.9 else self.choice(NOT_NUMBERS)

    def float(self):
        roll = self.random()
        if roll < 0.3:
            return self.choice(NUMBERS)
        return self.choice(FLOATS) if roll < 0.9 else self.choice(NOT_FLOATS)

    def value(self):
        roll = self.random()
        if roll < 0.35:
            return self.integer()
        if roll < 0.5:
            return self.float()
        if roll < 0.9:
            return self.choice(TEXTS)
        return self.rng.randbytes(self.rng.randint(1, 300))

    def offset(self):
        return self.choice(OFFSETS) if self.below(0.93) else self.choice([b"3000", b"%d" % INT_MAX, b"%d" % INT_MIN, b"abc", b"1.5", b""])

    def database(self):
        if self.below(0.94):
            return b"%d" % self.rng.randrange(DATABASES)
        return self.choice([b"15", b"16", b"-1", b"abc", b"", b"99999999999999999999", b"0 "])

    def cased(self, word):
        """Mostly as given, sometimes in other letters' case."""
        roll = self.random()
        if roll < 0.85:
            return word
        return word.lower() if roll < 0.93 else bytes(c ^ 32 if 65 <= c <= 90 and self.below(0.5) else c for c in word)

    # Times are an hour away at least, or past: replies then do not depend on when a command ran. Relative times stay
    # below four months and absolute ones lie beyond the year 2100, so GT and LT never compare the two closely.

    def seconds(self):
        return self._time(self.rng.randint(3600, 9_999_999))

    def milliseconds(self):
        return self._time(self.rng.randint(3_600_000, 9_999_999_999))

    def unix_seconds(self):
        return self._time(4_102_444_800 + self.rng.randint(0, 10**7))

    def unix_milliseconds(self):
        return self._time((4_102_444_800 + self.rng.randint(0, 10**7)) * 1000 + self.rng.randint(0, 999))

    def _time(self, usual):
        if self.below(0.9):
            return b"%d" % usual
        return self.choice([b"abc", b"", b"1.5", b"9223372036854775807", b"-9223372036854775808", b"9223372036854776",
                            b"-9223372036854776", b"99999999999999999999", b"+3600"])

    def past(self):
        """Times that EXPIRE and the like answer by deleting the key at once."""
        return self.choice([b"0", b"-1", b"-1000", b"-999999999"])
