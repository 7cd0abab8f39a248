"""Everything that the practice network holds, in one SQLite file: posts, pictures, who saw what.

One connection behind one lock: waitress answers from several threads. It checks no content
and knows neither HTTP nor pages.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.contract import N_
from adapters.errors import Misconfigured

#: "GAUG" and a version in the file's head: another program's database is never opened by mistake.
APPLICATION_ID, VERSION = 0x47415547, 2

_COMMENTS = """
CREATE TABLE comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
    name TEXT NOT NULL, text TEXT NOT NULL, created TEXT NOT NULL,
    account TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
    under INTEGER REFERENCES comment ON DELETE CASCADE);
CREATE INDEX comment_post ON comment (post);
CREATE INDEX comment_under ON comment (under);
"""
_TABLES = (
    """
CREATE TABLE post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so that no old link shows another post
    account TEXT NOT NULL COLLATE NOCASE, text TEXT NOT NULL, link TEXT NOT NULL, created TEXT NOT NULL,
    clicks INTEGER NOT NULL DEFAULT 0);
CREATE INDEX post_account ON post (account, created);
CREATE TABLE media (
    id INTEGER PRIMARY KEY AUTOINCREMENT, mime TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, filename TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE post_media (
    post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE, position INTEGER NOT NULL,
    media INTEGER NOT NULL REFERENCES media, alt TEXT NOT NULL, PRIMARY KEY (post, position));
CREATE TABLE view (
    post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE, visitor TEXT NOT NULL,
    times INTEGER NOT NULL, PRIMARY KEY (post, visitor)) WITHOUT ROWID;
CREATE TABLE liked (
    post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE, visitor TEXT NOT NULL,
    PRIMARY KEY (post, visitor)) WITHOUT ROWID;
"""
    + _COMMENTS
)
#: From version 1: accounts comment as well, comments are answered, and no number of one is used again.
_SECOND = (
    "ALTER TABLE comment RENAME TO first_comment; DROP INDEX comment_post;",
    _COMMENTS,
    "INSERT INTO comment (id, post, name, text, created) SELECT * FROM first_comment;",
    "DROP TABLE first_comment;",
)
#: Came later: made in a file of an older version, too.
_FOLLOWERS = """
CREATE TABLE IF NOT EXISTS follower (
    account TEXT NOT NULL COLLATE NOCASE, visitor TEXT NOT NULL, PRIMARY KEY (account, visitor)) WITHOUT ROWID
"""
_POSTS = """
SELECT id, account, text, link, created, clicks,
    (SELECT coalesce(sum(times), 0) FROM view WHERE post = p.id) AS views,
    (SELECT count(*) FROM view WHERE post = p.id) AS reach,
    (SELECT count(*) FROM liked WHERE post = p.id) AS likes,
    (SELECT count(*) FROM comment WHERE post = p.id) AS comments,
    EXISTS (SELECT 1 FROM liked WHERE post = p.id AND visitor = :visitor) AS liked
FROM post p
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in a post; ``alt`` belongs to its place in the post, not to the file."""

    id: int
    alt: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredPost:
    """One post with its figures; ``liked`` says whether the visitor who asks likes it."""

    id: int
    account: str
    text: str
    link: str
    created: datetime
    clicks: int
    views: int
    reach: int
    likes: int
    comments: int
    liked: bool
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """What a visitor wrote under a post; an empty ``name`` stays unnamed.

    An ``account`` answers in its own name; ``under`` is the comment that it answers.
    """

    id: int
    name: str
    text: str
    created: datetime
    account: str = ""
    under: int | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture's file as it was uploaded."""

    content: bytes
    mime: str
    filename: str
    width: int = 0
    height: int = 0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class Storage:
    """The file of one practice network; made when it does not exist. Close it to release the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        self._db.row_factory = sqlite3.Row
        try:
            owner = self._db.execute("PRAGMA application_id").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError:
            owner, tables = 0, 1
        if owner != APPLICATION_ID and tables:
            raise Misconfigured(
                N_("{file} is not a practice network's file. Give another name; a new file is made there."),
                file=self.file,
            )
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute(
            "PRAGMA synchronous = NORMAL"
        )  # a workshop's computer is slow, its posts are no loss
        if not tables:
            head = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
            self._db.executescript(f"BEGIN; {_TABLES} {head} COMMIT;")
        elif self._db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            self._db.executescript(f"BEGIN; {' '.join(_SECOND)} PRAGMA user_version = {VERSION}; COMMIT;")
        self._db.execute(_FOLLOWERS)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def add_media(self, upload: Upload) -> int:
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO media (mime, width, height, filename, sha256, content)"
                " VALUES (:mime, :width, :height, :filename, :sha256, :content)",
                asdict(upload) | {"sha256": upload.sha256},
            )
            return int(cursor.lastrowid or 0)

    def media(self, media_id: int) -> Upload | None:
        with self._lock:
            row = self._db.execute("SELECT * FROM media WHERE id = ?", (media_id,)).fetchone()
        return row and Upload(row["content"], row["mime"], row["filename"], row["width"], row["height"])

    def add_post(
        self, account: str, text: str, link: str, media: Sequence[tuple[int, str]], created: datetime
    ) -> int | None:
        """Store a post with its (media id, alt text) pairs; None if one of the media does not exist."""
        try:
            with self._transaction() as db:
                cursor = db.execute(
                    "INSERT INTO post (account, text, link, created) VALUES (?, ?, ?, ?)",
                    (account, text, link, _stamp(created)),
                )
                post = int(cursor.lastrowid or 0)
                db.executemany(
                    "INSERT INTO post_media (post, position, media, alt) VALUES (?, ?, ?, ?)",
                    [(post, position, id_, alt) for position, (id_, alt) in enumerate(media)],
                )
                return post
        except sqlite3.IntegrityError:
            return None

    def posts(
        self, account: str | None = None, *, since: datetime | None = None, visitor: str = ""
    ) -> tuple[StoredPost, ...]:
        """All posts (of one account, since a moment), oldest first."""
        return self._posts(
            "WHERE ifnull(account = :account, TRUE) AND ifnull(created >= :since, TRUE) ORDER BY id",
            account=account,
            since=since and _stamp(since),
            visitor=visitor,
        )

    def page(
        self, account: str | None, *, start: int, count: int, visitor: str = ""
    ) -> tuple[StoredPost, ...]:
        """``count`` posts of the timeline from ``start`` on, newest first."""
        return self._posts(
            "WHERE ifnull(account = :account, TRUE) ORDER BY id DESC LIMIT :count OFFSET :start",
            account=account,
            start=start,
            count=count,
            visitor=visitor,
        )

    def by_id(self, ids: Iterable[int], *, visitor: str = "") -> tuple[StoredPost, ...]:
        """Those of the posts that exist, oldest first."""
        wanted = ", ".join(str(int(id_)) for id_ in ids)
        return self._posts(f"WHERE id IN ({wanted}) ORDER BY id", visitor=visitor)

    def _posts(self, rest: str, **values: object) -> tuple[StoredPost, ...]:
        with self._lock:
            rows = self._db.execute(_POSTS + rest, values).fetchall()
            ids = ", ".join(str(row["id"]) for row in rows)
            pictures = self._db.execute(
                "SELECT post, media.id, alt, width, height, sha256 FROM post_media"  # noqa: S608  (integers)
                f" JOIN media ON media.id = media WHERE post IN ({ids}) ORDER BY post, position"
            ).fetchall()
        shown: dict[int, list[Picture]] = {}
        for post, *fields in pictures:
            shown.setdefault(post, []).append(Picture(*fields))
        return tuple(
            StoredPost(
                **dict(row)
                | {
                    "created": datetime.fromisoformat(row["created"]),
                    "liked": bool(row["liked"]),
                    "pictures": tuple(shown.get(row["id"], ())),
                }
            )
            for row in rows
        )

    def accounts(self) -> tuple[tuple[str, int], ...]:
        """Every account with its number of posts, the busiest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT min(account), count(*) FROM post GROUP BY account ORDER BY count(*) DESC, 1"
            ).fetchall()
        return tuple((str(handle), int(count)) for handle, count in rows)

    def delete_post(self, post: int) -> bool:
        """Delete a post with all that belongs to it; False if there is none. Unused pictures go too."""
        with self._transaction() as db:
            media = [row[0] for row in db.execute("SELECT media FROM post_media WHERE post = ?", (post,))]
            gone = db.execute("DELETE FROM post WHERE id = ?", (post,)).rowcount
            db.executemany(
                "DELETE FROM media WHERE id = ? AND id NOT IN (SELECT media FROM post_media)",
                [(id_,) for id_ in media],
            )
            return gone > 0

    def count_views(self, posts: Iterable[int], visitor: str) -> None:
        """Note that ``visitor`` was shown ``posts`` once (more)."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO view (post, visitor, times) VALUES (?, ?, 1)"
                " ON CONFLICT (post, visitor) DO UPDATE SET times = times + 1",
                [(post, visitor) for post in posts],
            )

    def count_click(self, post: int) -> None:
        with self._transaction() as db:
            db.execute("UPDATE post SET clicks = clicks + 1 WHERE id = ?", (post,))

    def toggle_like(self, post: int, visitor: str) -> None:
        """Like, or take the like back."""
        with self._transaction() as db:
            if not db.execute("DELETE FROM liked WHERE post = ? AND visitor = ?", (post, visitor)).rowcount:
                db.execute("INSERT INTO liked (post, visitor) VALUES (?, ?)", (post, visitor))

    def followers(self, account: str) -> int:
        """How many visitors follow an account."""
        with self._lock:
            rows = self._db.execute("SELECT count(*) FROM follower WHERE account = ?", (account,))
            return int(rows.fetchone()[0])

    def follows(self, account: str, visitor: str) -> bool:
        """Whether a visitor follows an account."""
        with self._lock:
            rows = self._db.execute(
                "SELECT 1 FROM follower WHERE account = ? AND visitor = ?", (account, visitor)
            )
            return rows.fetchone() is not None

    def toggle_follow(self, account: str, visitor: str) -> None:
        """Follow an account, or no longer."""
        with self._transaction() as db:
            gone = db.execute("DELETE FROM follower WHERE account = ? AND visitor = ?", (account, visitor))
            if not gone.rowcount:
                db.execute("INSERT INTO follower (account, visitor) VALUES (?, ?)", (account, visitor))

    def add_comment(self, post: int, name: str, text: str, created: datetime) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO comment (post, name, text, created) VALUES (?, ?, ?, ?)",
                (post, name, text, _stamp(created)),
            )

    def add_answer(self, account: str, under: int, text: str, created: datetime) -> Comment | None:
        """Let an account answer a comment; None if that is not there. An answer to one stands beside it."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT post, coalesce(under, id) FROM comment WHERE id = ?", (under,)
            ).fetchone()
            if row is None:
                return None
            cursor = db.execute(
                "INSERT INTO comment (post, name, text, created, account, under) VALUES (?, ?, ?, ?, ?, ?)",
                (row[0], account, text, _stamp(created), account, row[1]),
            )
            return Comment(int(cursor.lastrowid or 0), account, text, created, account, row[1])

    def delete_comment(self, comment: int) -> bool:
        """Delete a comment with the answers to it; False if there is none."""
        with self._transaction() as db:
            return db.execute("DELETE FROM comment WHERE id = ?", (comment,)).rowcount > 0

    def comments(self, post: int) -> tuple[Comment, ...]:
        """The comments under a post, oldest first, each with the answers to it after it."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, name, text, created, account, under FROM comment WHERE post = ?"
                " ORDER BY coalesce(under, id), id",
                (post,),
            )
            return tuple(
                Comment(id_, name, text, datetime.fromisoformat(at), account, under)
                for id_, name, text, at, account, under in rows
            )


def _stamp(moment: datetime) -> str:
    """UTC with a fixed number of digits, so that stamps compare as texts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
