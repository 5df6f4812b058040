"""The network for a base model, and where it computes."""

import torch

from tiza.train import llama
from tiza.train.data import Rows
from tiza.train.network import Network, has_bfloat16
from tiza.train.recipe import Recipe
from tiza.train.weights import Weights


def network(weights: Weights, rows: Rows, recipe: Recipe, device: torch.device) -> Network:
    """Choose who computes: our own network where it knows the model, else transformers."""
    if recipe.method == "lora" and device.type == "cpu" and llama.knows(weights.config):
        dtype = torch.bfloat16 if has_bfloat16(device) else torch.float32
        return llama.LlamaNetwork(weights, rows, recipe, dtype)
    from tiza.train.stock import StockNetwork

    return StockNetwork(weights, rows, recipe, device)


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
