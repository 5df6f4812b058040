"""LangChain's OpenAI chat model. `python langchain_answers.py URL MODEL`; prints JSON."""

import json
import sys

from langchain_openai import ChatOpenAI

chat = ChatOpenAI(
    base_url=sys.argv[1], api_key="unused", model=sys.argv[2], max_tokens=8, temperature=0
)
talk = [("system", "Answer with one word."), ("human", "Say a word.")]
whole = chat.invoke(talk)
pieces = list(chat.stream(talk))
both = chat.batch([talk, talk])

print(
    json.dumps(
        {
            "plain": whole.content,
            "usage": whole.usage_metadata["total_tokens"],
            "streamed": "".join(piece.content for piece in pieces),
            "batch": [each.content for each in both],
        }
    )
)
