"""The real vLLM, with a model that was taught here: `make test-vllm`."""
