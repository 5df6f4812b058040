"""OpenAI's own client: answers. `python openai_answers.py URL`; prints one JSON object."""

import json
import sys

from openai import OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)
MESSAGES = [{"role": "user", "content": "Say a word."}]

model = client.models.list().data[0].id
plain = client.chat.completions.create(model=model, messages=MESSAGES, max_tokens=8, temperature=0)
with client.chat.completions.create(
    model=model,
    messages=MESSAGES,
    max_tokens=8,
    temperature=0,
    stream=True,
    stream_options={"include_usage": True},
) as stream:
    chunks = list(stream)
text = client.completions.create(model=model, prompt="One, two,", max_tokens=4, temperature=0)

print(
    json.dumps(
        {
            "model": model,
            "plain": plain.choices[0].message.content,
            "finish": plain.choices[0].finish_reason,
            "usage": plain.usage.total_tokens,
            "streamed": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices),
            "streamed_usage": chunks[-1].usage.total_tokens,
            "text": text.choices[0].text,
            "request_id": plain._request_id,
        }
    )
)
