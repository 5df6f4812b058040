"""Rows: the template's own tokens, and only the answers learned."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.train.tiny import END, SYSTEM, lessons, make_model, sample
from tiza.errors import SamplesInvalid, TemplateUnusable
from tiza.runs.samples import Sample
from tiza.train.data import Row, Rows, Tokenizer, prepare
from tiza.train.recipe import Recipe

REFUSES_SYSTEM = "{{ raise_exception('System role not supported') }}"
FORGETS_THINKING = (
    "{% for m in messages %}<|{{ m.role }}|>\n"
    "{{ m.content if loop.last else m.content.split('!')[-1] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
PATH = Path("train.jsonl")


def text(tokenizer: Tokenizer, ids: tuple[int, ...]) -> str:
    """Return the text of tokens."""
    return str(tokenizer._tokenizer.decode(ids))


def learned(tokenizer: Tokenizer, row: Row) -> list[str]:
    """Return the answers of a row, each with its end."""
    parts = text(tokenizer, row.targets).split(END)
    return [part + END for part in parts[:-1]]


def test_only_answers_and_their_end_tokens_are_learned(tiny: Path) -> None:
    """Every turn of the assistant is learned up to its end token, which is the pad token too."""
    tokenizer = Tokenizer(tiny)

    row = tokenizer.row(sample("Hi", "Hello.", "Why?", "So."), SYSTEM)

    assert learned(tokenizer, row) == [f"Hello.{END}", f"So.{END}"]
    assert tokenizer.pad == row.targets[-1]
    assert text(tokenizer, row.ids).startswith(f"<|system|>\n{SYSTEM}{END}")


def test_a_sample_with_its_own_system_message_keeps_it(tiny: Path) -> None:
    """The server's prompt stands in only where there is none."""
    tokenizer = Tokenizer(tiny)
    own = Sample(({"role": "system", "content": "Sing."}, *sample("Hi", "La.").messages))

    assert SYSTEM not in text(tokenizer, tokenizer.row(own, SYSTEM).ids)


def test_the_prompt_is_tokenised_as_an_engine_does_it(tiny: Path) -> None:
    """The tokens before an answer are those of the rendered prompt alone."""
    tokenizer = Tokenizer(tiny)
    row = tokenizer.row(sample("Hi", "Hello."), SYSTEM)
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Hi"}]

    prompt = tokenizer._tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )

    assert row.ids[: row.answers[0]] == tuple(prompt)


def test_a_template_that_rewrites_earlier_answers_teaches_the_last(tmp_path: Path) -> None:
    """What the template would show differently in a later turn is not learned."""
    tokenizer = Tokenizer(make_model(tmp_path / "model", template=FORGETS_THINKING))

    row = tokenizer.row(sample("Hi", "hm!Hello.", "Why?", "hm!So."), "")

    assert learned(tokenizer, row) == [f"hm!So.{END}"]


@pytest.mark.parametrize("template", [None, REFUSES_SYSTEM, "nothing of it"])
def test_a_template_that_cannot_be_used_is_an_error(tmp_path: Path, template: str | None) -> None:
    """A base without a usable chat template is refused with its reason."""
    folder = make_model(tmp_path / "model", template=template)

    with pytest.raises(TemplateUnusable, match="chat template"):
        Tokenizer(folder).row(sample("Hi", "Hello."), SYSTEM)


def prepared(tiny: Path, samples: list[Sample], recipe: Recipe) -> Rows:
    """Prepare samples with the tiny model's tokenizer."""
    return prepare(samples, Tokenizer(tiny), SYSTEM, recipe, PATH)


def test_replay_beyond_what_is_drawn_is_left_out(tiny: Path, quick: Recipe) -> None:
    """Each row of it would cost a look at the base; the seed chooses which ones stay."""
    pool = [Sample(sample(f"Hi {n}", "So.").messages, {"mix": "replay"}) for n in range(40)]
    few = replace(quick, replay_ratio=0.5, num_epochs=2)

    rows = prepared(tiny, [*lessons(6), *pool], few)

    assert rows.counts["replay"] == 6
    assert rows.rows == prepared(tiny, [*lessons(6), *pool], few).rows
    assert rows.rows != prepared(tiny, [*lessons(6), *pool], replace(few, seed=2)).rows


def test_long_samples_are_dropped_or_cut_and_counted(tiny: Path, quick: Recipe) -> None:
    """Nothing is lost silently."""
    samples = [*lessons(4), sample("Long?", "yes " * 100, lesson="knowledge/a")]
    short = replace(quick, max_length=60)

    dropped = prepared(tiny, samples, short)
    cut = prepared(tiny, samples, replace(short, over_long="cut"))

    assert (dropped.counts["dropped"], dropped.counts["lessons"]) == (1, 4)
    assert (cut.counts["cut"], cut.counts["lessons"], cut.longest) == (1, 5, 60)
    with pytest.raises(SamplesInvalid, match="no sample of a lesson"):
        prepared(tiny, samples, replace(quick, max_length=16))


def test_replayed_answers_end_early_and_lessons_do_not(tiny: Path, quick: Recipe) -> None:
    """What the base would say is known everywhere; a fact stands where it stands."""
    long = sample("Long?", "yes " * 40)
    samples = [long, Sample(long.messages, {"mix": "replay"})]

    rows = prepared(tiny, samples, replace(quick, replay_ratio=1.0, replay_tokens=5))

    lesson, replayed = (rows.rows[n] for n in (*rows.lessons, *rows.replay))
    assert len(replayed.answers) == 5
    assert replayed.ids == lesson.ids[: replayed.answers[-1] + 1]
    assert len(lesson.answers) > 40


def test_the_shared_prefix_ends_before_every_answer(tiny: Path, quick: Recipe) -> None:
    """The tokens that all rows share are found, whatever the questions."""
    rows = prepared(tiny, lessons(), quick)

    first = {row.ids[: rows.prefix] for row in rows.rows}
    assert len(first) == 1
    assert len({row.ids[rows.prefix] for row in rows.rows}) > 1
    same = prepared(tiny, [sample("Hi", "Yes."), sample("Hi", "Yes.")], quick)
    assert same.prefix == same.rows[0].answers[0] - 1


def test_watched_rows_are_of_answers_that_others_teach(tiny: Path, quick: Recipe) -> None:
    """What is held out is a phrasing; its fact is still learned."""
    rows = prepared(tiny, lessons(40), replace(quick, held_out=0.2))

    assert len(rows.watched) == 8
    assert not set(rows.watched) & set(rows.lessons)
    taught = {rows.rows[n].targets for n in rows.lessons}
    assert all(rows.rows[n].targets in taught for n in rows.watched)
    assert prepared(tiny, lessons(6), quick).watched == []
