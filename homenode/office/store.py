"""What the office knows of boxes, codes, certificates and homes: an SQLite file in its folder.

Every change is on the disk before it is answered (`synchronous=FULL`): what a box was given is not forgotten.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from homenode.errors import SetupError
from homenode.office.decide import Box, Code, State

NAME = "office.db"
ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without what is read as something else: 0 O 1 I L U."""
LETTERS, GROUP = 16, 4
"""30^16: 78 bits, which nobody guesses over a network."""
CODE_MS = 90 * 86_400_000
"""A label may lie in a box for a season."""
MOST_REPORTS, MOST_EACH, DAY_MS = 10_000, 200, 86_400_000
"""Of all boxes, and of one: who tells without end pushes out its own."""
_SCHEMA = """
create table if not exists boxes(serial text primary key, state text not null, home text not null default '',
  key text not null default '', asked text not null default '', approved text not null default '',
  enrolled_ms integer not null default 0, seen_ms integer not null default 0,
  turn text not null default '', before text not null default '');
drop index if exists one_box;
create unique index if not exists box_of_home on boxes(home)
  where home != '' and state not in ('gone', 'swapped');
create table if not exists codes(hash text primary key, made_ms integer not null, until_ms integer not null,
  serial text not null default '', home text not null default '', used_by text not null default '');
create table if not exists certificates(number text primary key, serial text not null, home text not null,
  key text not null, not_after_ms integer not null, der blob not null,
  revoked_ms integer not null default 0, why text not null default '');
create table if not exists reports(n integer primary key autoincrement, at_ms integer not null,
  serial text not null, home text not null, what text not null, text text not null);
create table if not exists lists(number integer primary key autoincrement);
create table if not exists emptyings(home text not null, url text not null, topics text not null,
  lost integer not null, since_ms integer not null, why text not null default '', primary key(home, url));
"""
_BOX = "serial, state, home, key, asked, approved, enrolled_ms, seen_ms"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was issued; `why` it was revoked, "" if it wasn't."""

    serial: str
    home: str
    key: str
    why: str
    der: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody at the office has to look at."""

    at_ms: int
    serial: str
    home: str
    what: str
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class Emptying:
    """What a home left at a broker, where it is to be emptied.

    Attributes:
        url: Of the broker; "" if nobody knows where it is.
        lost: Its box sent no proof, so it may still be there.
        why: It is not emptied yet, "" before the first try.
    """

    home: str
    url: str
    topics: tuple[str, ...]
    lost: bool
    since_ms: int
    why: str


def check_there(folder: Path) -> None:
    """It is there: an empty one in its place would know of nobody revoked. Raises SetupError."""
    path = folder / NAME
    try:
        if not path.stat().st_size:  # before SQLite opens it, which would throw away a WAL file beside it
            raise _lost(path, "is empty")
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)) as db:
            tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    except FileNotFoundError:
        raise _lost(path, "is missing") from None
    except (OSError, sqlite3.Error) as error:
        raise SetupError(f"it can't be used: {error}", where=str(path)) from error
    if not tables >= {"boxes", "codes", "certificates", "lists"}:
        raise _lost(path, "is empty")


def _lost(path: Path, how: str) -> SetupError:
    do = "bring back a copy of it and then run homenode office restored"
    return SetupError(f"the office's database {how}", where=str(path), do=do)


class Store:
    """Of the office in `folder`. One connection for one thread; several processes may have theirs."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises SetupError."""
        try:
            self._db = sqlite3.connect(folder / NAME, isolation_level=None, timeout=10.0)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=full")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SetupError(f"it can't be used: {error}", where=str(folder / NAME)) from error

    def close(self) -> None:
        """Let go of it."""
        self._db.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """All of what is changed inside, or nothing; nobody changes anything in between."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # Boxes

    def box(self, serial: str) -> Box | None:
        """By its serial number."""
        row = self._db.execute(f"select {_BOX} from boxes where serial = ?", (serial,)).fetchone()
        return _box(row) if row else None

    def boxes(self) -> list[Box]:
        """All, by home and serial number."""
        return [_box(row) for row in self._db.execute(f"select {_BOX} from boxes order by home, serial")]

    def box_of(self, home: str) -> Box | None:
        """That a home has now."""
        where = "home = ? and state not in ('gone', 'swapped')"
        row = self._db.execute(f"select {_BOX} from boxes where {where}", (home,)).fetchone()
        return _box(row) if row else None

    def owner(self, key: str, but: str) -> str:
        """Serial number of a box, not `but`, to which this key was certified; "" if there is none."""
        where = "key = ? and serial != ? and state not in ('gone', 'swapped')"
        row = self._db.execute(f"select serial from boxes where {where}", (key, but)).fetchone()
        return str(row[0]) if row else ""

    def put(self, box: Box) -> None:
        """Write what is known of it."""
        values = (box.serial, box.state.value, box.home, box.key, box.asked, box.approved, box.enrolled_ms,
                  box.seen_ms)  # fmt: skip
        names = _BOX.split(", ")
        sets = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        marks = ", ".join("?" * len(names))
        self._db.execute(
            f"insert into boxes({_BOX}) values({marks}) on conflict(serial) do update set {sets}", values
        )

    def gone(self, box: Box) -> None:
        """It is nobody's: neither its key nor a code that it had is worth anything."""
        self.put(replace(box, state=State.GONE, home="", key="", asked="", approved=""))
        self.forget_turns(box.serial)
        self._db.execute("delete from codes where serial = ?", (box.serial,))

    def forget_strangers(self, most: int) -> None:
        """Of boxes that nobody expects, those that asked longest ago, beyond so many."""
        strangers = "from boxes where state = 'asking' and home = '' and approved = '' and key = ''"
        self._db.execute(
            f"delete from boxes where serial in (select serial {strangers} order by seen_ms desc "
            "limit -1 offset ?)", (most,),
        )  # fmt: skip

    def turns(self, serial: str) -> tuple[str, str]:
        """What a box was given last to show, and before that."""
        row = self._db.execute("select turn, before from boxes where serial = ?", (serial,)).fetchone()
        return (str(row[0]), str(row[1])) if row else ("", "")

    def next_turn(self, serial: str, shown: str) -> str:
        """A new one, after `shown`."""
        turn = secrets.token_urlsafe(12)
        self._db.execute("update boxes set turn = ?, before = ? where serial = ?", (turn, shown, serial))
        return turn

    def forget_turns(self, serial: str) -> None:
        """It begins anew, with a certificate for another key, or the office does, from a copy."""
        self._db.execute("update boxes set turn = '', before = '' where serial = ?", (serial,))

    # Codes

    def new_code(self, now_ms: int, serial: str = "", home: str = "") -> str:
        """A one-time code, of which only the hash is kept; former ones for this box or home are worthless."""
        if serial or home:
            self.forget_codes(serial, home)
        letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
        code = "-".join(letters[at : at + GROUP] for at in range(0, LETTERS, GROUP))
        self._db.execute(
            "insert into codes(hash, made_ms, until_ms, serial, home) values(?, ?, ?, ?, ?)",
            (_hash(code), now_ms, now_ms + CODE_MS, serial, home),
        )
        return code

    def forget_codes(self, serial: str, home: str) -> int:
        """Unused ones for this box or home count no more, without either those for neither; how many."""
        named = "(serial = ? and serial != '' or home = ? and home != '')"
        which = named if serial or home else "serial = ? and home = ?"
        done = self._db.execute(f"delete from codes where used_by = '' and {which}", (serial, home))
        return done.rowcount

    def codes(self, now_ms: int) -> list[Code]:
        """Unused ones that end after `now_ms`, those that end first before others."""
        rows = self._db.execute(
            "select hash, made_ms, until_ms, serial, home, used_by from codes "
            "where used_by = '' and until_ms > ? order by until_ms, rowid",
            (now_ms,),
        )
        return [Code(*row) for row in rows]

    def code(self, text: str) -> Code | None:
        """That somebody gave."""
        row = self._db.execute(
            "select hash, made_ms, until_ms, serial, home, used_by from codes where hash = ?", (_hash(text),)
        ).fetchone()
        return Code(*row) if row else None

    def use(self, code: Code, serial: str, key: str) -> None:
        """It is worth nothing to anybody else from now on."""
        self._db.execute("update codes set used_by = ?, serial = ? where hash = ?", (key, serial, code.hash))

    # Certificates

    def issued(self, number: int) -> Issued | None:
        """A certificate by its number."""
        row = self._db.execute(
            "select serial, home, key, why, der from certificates where number = ?",
            (f"{number:x}",),
        ).fetchone()
        return Issued(*row) if row else None

    def add_certificate(self, number: int, box: Box, not_after_ms: int, der: bytes) -> None:
        """One that goes out."""
        self._db.execute(
            "insert into certificates(number, serial, home, key, not_after_ms, der) values(?, ?, ?, ?, ?, ?)",
            (f"{number:x}", box.serial, box.home, box.key, not_after_ms, der),
        )

    def newest(self, serial: str) -> tuple[int, bytes] | None:
        """Of a box or party: until when its last certificate counts, and that (DER); None without one."""
        row = self._db.execute(
            "select not_after_ms, der from certificates where serial = ? and revoked_ms = 0 "
            "order by rowid desc",
            (serial,),
        ).fetchone()
        return (int(row[0]), bytes(row[1])) if row else None

    def parties(self, now_ms: int) -> list[str]:
        """Names of parties and brokers whose certificate ends after `now_ms`, and isn't revoked.

        The office made their keys, and keeps none.
        """
        where = "key = '' and revoked_ms = 0 and not_after_ms > ?"
        rows = self._db.execute(
            f"select distinct serial from certificates where {where} order by serial", (now_ms,)
        )
        return [str(row[0]) for row in rows]

    def certificates(self, serial: str, home: str) -> list[bytes]:
        """All (DER) that a box was given for a home, revoked or not, the newest first."""
        rows = self._db.execute(
            "select der from certificates where serial = ? and home = ? order by rowid desc", (serial, home)
        )
        return [bytes(row[0]) for row in rows]

    def newest_of_key(self, serial: str, key: str) -> bytes | None:
        """The last certificate (DER) of a box for its key, revoked or not."""
        row = self._db.execute(
            "select der from certificates where serial = ? and key = ? order by rowid desc", (serial, key)
        ).fetchone()
        return bytes(row[0]) if row else None

    def revoke(self, serial: str, now_ms: int, why: str) -> int:
        """All certificates of a box that count; how many."""
        done = self._db.execute(
            "update certificates set revoked_ms = ?, why = ? where serial = ? and revoked_ms = 0",
            (now_ms, why, serial),
        )
        return done.rowcount

    def revoked(self, now_ms: int) -> list[tuple[int, int]]:
        """Number, and when it was revoked (ms), of those that would still be in force."""
        rows = self._db.execute(
            "select number, revoked_ms from certificates where revoked_ms > 0 and not_after_ms > ? "
            "order by revoked_ms",
            (now_ms,),
        )
        return [(int(number, 16), at) for number, at in rows]

    def next_list(self) -> int:
        """Number of the next list of revoked certificates."""
        number = int(self._db.execute("insert into lists default values").lastrowid or 1)
        self._db.execute("delete from lists where number < ?", (number,))
        return number

    # What is to be emptied at brokers

    def add_emptying(self, one: Emptying) -> None:
        """To be emptied, too: what the home left there in an earlier tenancy still is."""
        before = [there for there in self.emptyings(one.home) if there.url == one.url]
        topics = sorted({*one.topics, *(topic for there in before for topic in there.topics)})
        self._db.execute(
            "insert or replace into emptyings(home, url, topics, lost, since_ms, why) "
            "values(?, ?, ?, ?, ?, ?)",
            (one.home, one.url, json.dumps(topics), one.lost, one.since_ms, one.why),
        )

    def emptyings(self, home: str = "") -> list[Emptying]:
        """What is still to be emptied, those of one broker together; of one home, if it is named."""
        rows = self._db.execute(
            "select home, url, topics, lost, since_ms, why from emptyings "
            "where home = ? or ? = '' order by url, since_ms, home",
            (home, home),
        )
        return [
            Emptying(name, url, tuple(json.loads(topics)), bool(lost), since, why)
            for name, url, topics, lost, since, why in rows
        ]

    def emptied(self, one: Emptying) -> None:
        """It is done, unless more is to be emptied there since."""
        self._db.execute(
            "delete from emptyings where home = ? and url = ? and since_ms = ?",
            (one.home, one.url, one.since_ms),
        )

    def not_emptied(self, one: Emptying, why: str) -> None:
        """It could not be done."""
        self._db.execute("update emptyings set why = ? where home = ? and url = ?", (why, one.home, one.url))

    # Reports

    def report(self, at_ms: int, serial: str, home: str, what: str, text: str) -> None:
        """Something that a person has to look at; what is told again within a day is told once."""
        values = (at_ms, serial, home, what, text)
        again = self._db.execute(
            "update reports set at_ms = ? where serial = ? and home = ? and what = ? and text = ? "
            "and at_ms > ?",
            (*values, at_ms - DAY_MS),
        )
        if again.rowcount:
            return
        self._db.execute("insert into reports(at_ms, serial, home, what, text) values(?, ?, ?, ?, ?)", values)
        self._db.execute("delete from reports where n <= (select max(n) from reports) - ?", (MOST_REPORTS,))
        self._db.execute(
            "delete from reports where n in (select n from reports where serial = ? order by n desc "
            "limit -1 offset ?)", (serial, MOST_EACH),
        )  # fmt: skip

    def reports(self, most: int = MOST_REPORTS, *, home: str = "") -> list[Report]:
        """The newest, newest first; of one home, if it is named."""
        where, values = ("where home = ?", (home, most)) if home else ("", (most,))
        rows = self._db.execute(
            f"select at_ms, serial, home, what, text, n from reports {where} "
            "order by at_ms desc, n desc limit ?",
            values,
        )
        return [Report(*row) for row in rows]

    def clear_reports(self, number: int) -> int:
        """Somebody has looked at those up to this number; how many there were."""
        return self._db.execute("delete from reports where n <= ?", (number,)).rowcount


def _box(row: tuple[object, ...]) -> Box:
    serial, state, home, key, asked, approved, enrolled_ms, seen_ms = row
    assert isinstance(enrolled_ms, int)
    assert isinstance(seen_ms, int)
    return Box(
        str(serial), State(state), str(home), str(key), str(asked), str(approved), enrolled_ms, seen_ms
    )


def _hash(code: str) -> str:
    """Of the letters that count: dashes, spaces and small letters are as good."""
    return hashlib.sha256("".join(code.upper().replace("-", " ").split()).encode()).hexdigest()
