"""Passwords: which are good enough, and that comparing them takes as long for nobody."""

import asyncio

import pytest
from pwdlib import PasswordHash

from tiza.api.accounts import passwords as ours
from tiza.api.accounts.passwords import AT_ONCE, LEFT, Passwords, check, left
from tiza.errors import InvalidRequest, Overloaded


@pytest.mark.parametrize(
    "password",
    [
        *("short", "123456789", "1234567890", "12345678901234567890", "aaaaaaaaaaaaaaa"),
        *("password123", "P@ssw0rd2024!", "contraseña123", "qwertyuiop", "asdfghjkl123"),
        *("abcabcabcabc", "abcdefghijklmnop", "iloveyou2025", "tequiero12", "barcelona1899"),
        *("Maria Gomez 1", "mariagomez2011", "zyxwvutsrq", "qwerty123456", "futbolfutbol"),
        "x" * 129,
    ],
)
def test_password_is_refused_when_everybody_would_try_it(password: str) -> None:
    """Counting, keyboard rows, common words, repetition and one's own name are no secret."""
    with pytest.raises(InvalidRequest):
        check(password, "Maria Gomez")


@pytest.mark.parametrize(
    "password",
    [
        *("seven green bicycles", "la jirafa come nubes", "k3v9xq2mzt", "correct horse battery"),
        *("пароль из слов", "秘密の長い言葉です新"),
    ],
)
def test_password_is_taken_when_it_is_long_and_no_pattern(password: str) -> None:
    """No kinds of characters are asked for, and every script is welcome."""
    assert check(password, "Maria Gomez") == password
    assert left(password, "Maria Gomez") >= LEFT


async def test_password_matches_when_it_is_written_on_another_keyboard() -> None:
    """The same letters in another Unicode form are the same password, others are not."""
    passwords = Passwords()
    kept = await passwords.hash(check("una canción larga", ""))
    assert kept.startswith("$argon2id$")
    assert "canción" not in kept
    assert await passwords.matches("una cancio\u0301n larga", kept)
    assert not await passwords.matches("una cancion larga", kept)
    assert not await passwords.matches("una canción larga", "")
    assert await passwords.hash("una canción larga") != kept
    passwords.close()


async def test_comparing_takes_as_long_when_there_is_no_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time tells nobody whether a name exists: the same work is done, once."""
    passwords = Passwords()
    kept = await passwords.hash("one of the passwords")
    done, verify = list[str](), PasswordHash.verify

    def noted(self: PasswordHash, password: str, kept: str) -> bool:
        done.append(kept.rpartition("$")[0].rpartition("$")[0])  # the algorithm and what it costs
        return verify(self, password, kept)

    monkeypatch.setattr(PasswordHash, "verify", noted)
    assert not await passwords.matches("another password", kept)
    assert not await passwords.matches("another password", "")
    assert len(done) == 2
    assert done[0] == done[1] != ""
    passwords.close()


async def test_work_is_refused_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of passwords takes neither the memory nor the threads of everything else."""
    monkeypatch.setattr(ours, "WAITING", 4)
    passwords = Passwords()
    many = [passwords.hash("a password") for _ in range(4 + 3)]
    done = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, Overloaded) for each in done) == 3
    assert len(passwords._threads._threads) <= AT_ONCE
    passwords.close()
