"""Start and supervise the model engine, vLLM or llama.cpp; both speak OpenAI's HTTP."""
