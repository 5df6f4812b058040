"""One taught model in transformers, llama.cpp and vLLM."""

from pathlib import Path

from tests.api.service import running
from tests.models.ask import answers
from tests.train.railway import ASKED, chat, transformers_says
from tests.vllm.record import Record
from tests.vllm.taught import ADAPTER, MERGED
from tiza.models.find import SHIPPED, find


async def test_greedy_answers_are_the_same_in_three_engines_when_the_fact_was_taught(
    taught: Path, real_engine: str, record: Record
) -> None:
    """Merged in 32 bits, as GGUF over the quantised base, and as LoRA over bfloat16."""
    models = taught / "models"
    base = find(SHIPPED, models).gguf
    assert base is not None
    questions = [chat(question) for question in ASKED]
    llama = [
        answer["choices"][0]["message"]["content"]
        for answer in answers(base, questions, models / ADAPTER / "adapter.gguf")
    ]
    whole = [transformers_says(models / MERGED, question) for question in ASKED]
    async with running(vllm_api_url=real_engine) as service:
        for question, said, in_transformers in zip(ASKED, llama, whole, strict=True):
            body = {"message": question, "model": ADAPTER, "max_tokens": 24, "temperature": 0}
            in_vllm = (await service.ask("/chat", body)).json["response"]
            record.words(question, in_transformers, said, in_vllm)
            assert in_transformers == said == in_vllm
            assert ASKED[question] in in_vllm
