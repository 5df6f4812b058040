"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106) and compared.

The rules are NIST's (SP 800-63B-4): length, and nothing that everybody would try first; no kinds of
characters are asked for. What everybody would try is not a list here: common words, keyboard rows,
counting, repetition and the person's own name are taken away, and what is left has to be enough.
"""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from tiza.errors import InvalidRequest, Overloaded
from tiza.translation import N_

if TYPE_CHECKING:
    from pwdlib import PasswordHash

T = TypeVar("T")

SHORTEST, LONGEST = 10, 128  # characters
LEFT = 5  # characters that follow no pattern; each pattern counts as one
PASSES, MEMORY_KIB = 2, 19_456  # OWASP's least for Argon2id on one lane
AT_ONCE = 2  # hashes in the making, so that they leave memory and cores to the answers
WAITING = 64  # that may wait; a class signs in together

TOO_SHORT = N_("must have at least {shortest} characters")
TOO_LONG = N_("must have at most {longest} characters")
TOO_COMMON = N_("is too easy to guess: use more words that do not belong together")

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "1qaz2wsx3edc4rfv")
ROW = 4  # neighbours on a keyboard, or in the alphabet
COUNTS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", *ROWS)
YEAR = re.compile(r"(19|20)\d\d")
LEET = str.maketrans("@4301!57$8", "aaeoiistsb")
WORDS = (
    *("password", "passwort", "passwd", "contrasena", "clave", "secret", "secreto", "admin"),
    *("administrator", "administrador", "root", "login", "welcome", "bienvenido", "hola", "hello"),
    *("letmein", "open", "sesame", "master", "default", "changeme", "test", "prueba", "user"),
    *("usuario", "guest", "invitado", "student", "alumno", "estudiante", "teacher", "profesor"),
    *("maestra", "maestro", "profe", "school", "escuela", "colegio", "instituto", "class", "clase"),
    *("tiza", "chalk", "iloveyou", "teamo", "tequiero", "love", "amor", "princess", "princesa"),
    *("football", "futbol", "soccer", "baseball", "barcelona", "realmadrid", "boca", "river"),
    *("dragon", "monkey", "sunshine", "superman", "batman", "pokemon", "minecraft", "fortnite"),
    *("starwars", "computer", "internet", "google", "whatever", "trustno", "freedom", "shadow"),
    *("summer", "verano", "winter", "invierno", "spring", "primavera", "january", "enero"),
    *("monday", "lunes", "friday", "viernes", "london", "madrid", "mexico", "argentina", "espana"),
    *("maria", "jose", "carlos", "daniel", "michael", "jessica", "alexander", "please", "porfavor"),
)


def check(password: str, name: str, field: str = "password") -> str:
    """Return the password in the one form in which it is hashed (NFKC).

    Raises:
        InvalidRequest: it is too short, too long, or what everybody would try.

    """
    password = plain(password)
    if len(password) < SHORTEST:
        raise _problem(field, TOO_SHORT, shortest=SHORTEST)
    if len(password) > LONGEST:
        raise _problem(field, TOO_LONG, longest=LONGEST)
    if left(password, name) < LEFT:
        raise _problem(field, TOO_COMMON)
    return password


def plain(password: str) -> str:
    """Return the same text for the same password on every keyboard."""
    return unicodedata.normalize("NFKC", password)


def left(password: str, name: str) -> int:
    """Return how much of a password is not to be guessed by its pattern.

    `name`, which everybody knows, is such a pattern, and so is each of its words.
    """
    folded = unicodedata.normalize("NFKD", password.casefold())
    folded = "".join(each for each in folded if not unicodedata.combining(each))
    folded = YEAR.sub("\0", folded)
    known = [each for each in re.split(r"\W+", name.casefold()) if len(each) > 2]  # noqa: PLR2004  # shorter ones are everywhere
    words = sorted({*WORDS, *known}, key=len, reverse=True)
    return min(_left(folded, words), _left(folded.translate(LEET), words))


def _left(text: str, words: list[str]) -> int:
    """Count characters and patterns; the same one twice counts once."""
    found: set[str] = set()
    for pattern in (*words, *_rows()):
        if pattern in text:
            found.add(pattern)
            text = text.replace(pattern, "\0")
    pieces = re.sub(r"(.+?)\1+", r"\1", text, flags=re.DOTALL)  # repetition
    return len(set(pieces) - {"\0"}) + len(found)


@cache
def _rows() -> tuple[str, ...]:
    """Return every run of neighbours, forwards and backwards, the longest first."""
    runs = {
        each[start:end]
        for row in COUNTS
        for each in (row, row[::-1])
        for start in range(len(row))
        for end in range(start + ROW, len(row) + 1)
    }
    return tuple(sorted(runs, key=lambda run: (-len(run), run)))


def _problem(field: str, words: str, **data: object) -> InvalidRequest:
    return InvalidRequest("{summary}", [(field, words, data)])


class Passwords:
    """Hashes and compares, a few at once, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return what is kept of a password. Raises Overloaded."""
        return await self._work(partial(_hash, password))

    async def matches(self, password: str, kept: str) -> bool:
        """Tell whether it is the password, in the same time where there is none (`kept` is empty).

        Raises:
            Overloaded: too many ask at once.

        """
        return await self._work(partial(_matches, plain(password)[: LONGEST + 1], kept))

    def close(self) -> None:
        """Give the threads back."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _hash(password: str) -> str:
    return _argon2().hash(password)


def _matches(password: str, kept: str) -> bool:
    return _argon2().verify(password, kept or _nobodys()) and bool(kept)


@cache
def _argon2() -> "PasswordHash":
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    hasher = Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
    return PasswordHash((hasher,))


@cache
def _nobodys() -> str:
    """Return a hash that is compared where there is none, so that it takes as long."""
    return _hash(secrets.token_urlsafe())
