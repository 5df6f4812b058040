"""Ten thousand damaged lessons: always findings, never an exception."""

import random
from pathlib import Path

from tests.taxonomy.lessons import VALID
from tiza.taxonomy.examine import judge
from tiza.taxonomy.find import BRANCHES, Candidate
from tiza.taxonomy.verdict import pack, unpack

MUTATIONS = 10_000
PIECES = (
    b"\t", b"\n", b"\r", b"'", b'"', b":", b": ", b"- ", b"  ", b"*a", b"&a ", b"!!python/name:x ",
    b"[", b"]", b"{", b"}", b"#", b"|", b">-\n", b"---\n", b"...\n", b"%", b"@", b"`", b"?", b"\\",
    b"\x00", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"null", b"yes", b"3", b"1e9",
    b"<<: ",
    b"2020-13-45", b"0x", b".inf", b"question:", b"document:\n  path: ../x\n", b"exam: []\n",
)  # fmt: skip


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change a few places: put something in, take something out, double or swap lines."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:at] + chance.choice(PIECES) + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + chance.randint(1, 30) :]
        elif kind == 2:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif kind == 3:
            lines = data.splitlines(keepends=True)
            chance.shuffle(lines)
            data = b"".join(lines)
        else:
            data = data[:at] + data[at // 2 :]
    return data


def test_judge_always_returns_findings_when_lessons_are_mutated() -> None:
    """Whatever a file holds, the checker says something sensible about it in both languages."""
    chance = random.Random(3)  # noqa: S311  # the same damage every time
    lessons = [(leaf, text.encode()) for leaf, text in VALID.items()]
    damaged = 0
    for number in range(MUTATIONS):
        leaf, data = lessons[number % len(lessons)]
        mutated = mutate(data, chance)
        path = Path(leaf, "qna.yaml")
        candidate = Candidate(path, Path(), BRANCHES[leaf.partition("/")[0]])
        verdict = judge(mutated, candidate, "")
        lines = mutated.count(b"\n") + mutated.count(b"\r") + 2
        for finding in verdict.findings:
            assert 1 <= finding.line <= lines + mutated.count(b"\xe2\x80\xa8"), (finding, mutated)
            assert finding.column >= 1
            for language in ("en", "es"):
                assert finding.message(language)
                assert finding.hint(language)
        assert unpack(*pack(verdict)) == verdict
        damaged += bool(verdict.findings)
    assert damaged > MUTATIONS // 2
