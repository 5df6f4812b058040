"""One contender of `benchmarks/generate.py`: the block of sdg-hub that asks models.

Runs in the environment of sdg-hub. Prints the CPU seconds that it took, once all is loaded.
"""

import argparse
import json
import time

import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # the peer's
from sdg_hub.core.blocks import LLMChatBlock  # type: ignore[import-not-found]  # the peer's


def main() -> None:
    """Ask all questions."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--question", required=True)
    parser.add_argument("--url", default="http://127.0.0.1:9")
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--only-load", action="store_true")
    args = parser.parse_args()
    block = LLMChatBlock(
        block_name="ask",
        input_cols="messages",
        output_cols="answer",
        model="openai/bench",
        api_base=f"{args.url}/v1",
        api_key="none",
        async_mode=True,
        max_tokens=256,
        temperature=0.0,
    )
    if args.only_load:
        return
    rows = [[{"role": "user", "content": f"{n}. {args.question}"}] for n in range(args.requests)]
    more = {} if args.concurrency is None else {"_flow_max_concurrency": args.concurrency}
    before = time.process_time()
    block.generate(pd.DataFrame({"messages": rows}), **more)
    print(json.dumps({"cpu_seconds": time.process_time() - before}))


if __name__ == "__main__":
    main()
