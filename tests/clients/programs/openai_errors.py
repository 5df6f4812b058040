"""OpenAI's own client: which exception a refusal becomes. `python openai_errors.py URL KEY BODY`.

BODY is a JSON object over what is asked otherwise. Prints the exception's class, status, code and
message as JSON, and whether a wait is told.
"""

import json
import sys

from openai import APIStatusError, OpenAI

url, key, more = sys.argv[1:]
client = OpenAI(base_url=url, api_key=key, max_retries=0)
asked = {
    "model": "samples_0",
    "messages": [{"role": "user", "content": "Say a word."}],
    "max_tokens": 8,
}
asked |= json.loads(more)
try:
    client.chat.completions.create(**asked)
    print(json.dumps({"class": ""}))
except APIStatusError as exc:
    print(
        json.dumps(
            {
                "class": type(exc).__name__,
                "status": exc.status_code,
                "code": exc.code,
                "message": exc.message,
                "retry_after": exc.response.headers.get("retry-after", ""),
            }
        )
    )
