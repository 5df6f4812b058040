"""Gradients written by hand equal those of finite differences and of autograd."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from tiza.train.kernels import HeadLoss, LoraLinear, RMSNorm, Rotary, SwiGLU
from tiza.train.targets import Target, cross_entropy, likeliest


@pytest.fixture
def draw() -> torch.Generator:
    """Return a source of numbers with a fixed seed."""
    return torch.Generator().manual_seed(3)


def numbers(draw: torch.Generator, *shape: int, learns: bool = True) -> Tensor:
    """Return float64 numbers."""
    return torch.randn(*shape, generator=draw, dtype=torch.float64).requires_grad_(learns)


@pytest.mark.parametrize("outs", [(6,), (4, 2, 2)])
def test_lora_linear(draw: torch.Generator, outs: tuple[int, ...]) -> None:
    """One layer or several fused: gradients of x, A and every B."""
    x, weight = numbers(draw, 5, 3), numbers(draw, sum(outs), 3, learns=False)
    a, bs = numbers(draw, 2 * len(outs), 3), [numbers(draw, out, 2) for out in outs]

    assert gradcheck(lambda x, a, *bs: LoraLinear.apply(x, weight, 1.5, a, *bs), (x, a, *bs))
    parts = [
        x @ w.T + 1.5 * (x @ p.T) @ b.T
        for w, p, b in zip(weight.split(outs), a.chunk(len(outs)), bs, strict=True)
    ]
    torch.testing.assert_close(LoraLinear.apply(x, weight, 1.5, a, *bs), torch.cat(parts, 1))


def test_rms_norm(draw: torch.Generator) -> None:
    """The gradient of x."""
    x, weight = numbers(draw, 4, 6), numbers(draw, 6, learns=False)
    assert gradcheck(lambda x, w: RMSNorm.apply(x, w, 1e-5), (x, weight))


def test_swiglu(draw: torch.Generator) -> None:
    """The gradients of gate and value."""
    assert gradcheck(SwiGLU.apply, (numbers(draw, 4, 6),))


def test_rotary(draw: torch.Generator) -> None:
    """The gradient is the turn backwards."""
    angles = numbers(draw, 4, 1, 3, learns=False)
    assert gradcheck(Rotary.apply, (numbers(draw, 4, 2, 6), angles.cos(), angles.sin()))


def targets(draw: torch.Generator, kind: str) -> Target:
    """Return hard or soft targets for 5 positions over 9 words."""
    if kind == "soft":
        target = likeliest(numbers(draw, 5, 9, learns=False), 3)
        return Target(target.words.long(), target.odds.double())
    odds = torch.tensor([[1.0, 0, 0]] * 5, dtype=torch.float64)
    words = torch.zeros(5, 3, dtype=torch.long)
    words[:, 0] = torch.arange(5)
    return Target(words, odds)


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_head_loss(draw: torch.Generator, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The loss without logits equals the plain one, in value and gradient, in several parts."""
    monkeypatch.setattr("tiza.train.kernels.HEAD_ROWS", 2)
    h, embedding = numbers(draw, 5, 4), numbers(draw, 9, 4, learns=False)
    target = targets(draw, kind)

    assert gradcheck(HeadLoss.apply, (h, embedding, target.words, target.odds))
    loss = HeadLoss.apply(h, embedding, target.words, target.odds)
    torch.testing.assert_close(
        loss, cross_entropy(h @ embedding.T, target), check_dtype=False, rtol=1e-5, atol=1e-5
    )


def test_a_hard_target_is_plain_cross_entropy_and_a_soft_one_is_least_at_itself(
    draw: torch.Generator,
) -> None:
    """The words kept and the rest together are one distribution."""
    logits = numbers(draw, 5, 9, learns=False)
    hard = targets(draw, "hard")
    expected = torch.nn.functional.cross_entropy(logits, torch.arange(5), reduction="none")
    torch.testing.assert_close(cross_entropy(logits, hard), expected, check_dtype=False)

    own = likeliest(logits, 3)
    same = cross_entropy(logits, Target(own.words.long(), own.odds))
    torch.testing.assert_close(same, own.entropy())
    other = cross_entropy(logits.flip(1), Target(own.words.long(), own.odds))
    assert (other > own.entropy()).all()
