"""The few operations of a Llama with their gradients written by hand.

Autograd would keep or copy several times as much: here each operation keeps what its own gradient
needs and no more, frozen weights get no gradient, and the vocabulary's logits live only as long as
their loss. Checked against autograd by `torch.autograd.gradcheck`. Knows shapes, not models.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tiza.train.targets import TINY, Target

HEAD_ROWS = 256  # positions whose logits exist at once


class LoraLinear(Function):
    """x [t, i] → x Wᵀ + scale · (x Aᵀ) Bᵀ for one frozen W [o, i] that may hold several layers.

    `a` [n·r, i] holds the A of n layers, `bs` their B [o_j, r] in the order of W's rows
    (Hu et al. 2021, arXiv:2106.09685). Without `bs`: the frozen product alone.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, scale: float, a: Tensor, *bs: Tensor
    ) -> Tensor:
        """Compute the product of all layers at once."""
        low = x @ a.to(x.dtype).T
        y = x @ weight.T
        start = 0
        for b, part in zip(bs, low.chunk(len(bs), 1), strict=True):
            y[:, start : start + len(b)].addmm_(part, b.to(x.dtype).T, alpha=scale)
            start += len(b)
        ctx.save_for_backward(x, weight, a, low, *bs)
        ctx.scale = scale
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A and every B."""
        x, weight, a, low, *bs = ctx.saved_tensors
        down, db, start = torch.empty_like(low), [], 0
        lows = low.chunk(len(bs), 1)
        for b, part, out in zip(bs, lows, down.chunk(len(bs), 1), strict=True):
            own = dy[:, start : start + len(b)]
            out.copy_(own @ b.to(x.dtype))
            db.append((own.T @ part).to(b.dtype).mul_(ctx.scale))
            start += len(b)
        down.mul_(ctx.scale)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = (dy @ weight).addmm_(down, a.to(x.dtype))
        return (dx, None, None, (down.T @ x).to(a.dtype), *db)


class RMSNorm(Function):
    """x [t, d] → x / √(mean x² + ε) · w, in float32 within; w is frozen (arXiv:1910.07467)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        """Normalise each row."""
        wide = _wide(x)
        inverse = (wide.square().mean(1, keepdim=True) + epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (wide * inverse).to(x.dtype).mul_(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of x."""
        x, weight, inverse = ctx.saved_tensors
        normal = _wide(x) * inverse
        slope = _wide(dy) * _wide(weight)
        along = (slope * normal).mean(1, keepdim=True)
        return slope.sub_(normal.mul_(along)).mul_(inverse).to(x.dtype), None, None


class SwiGLU(Function):
    """[t, 2f], the gate beside the value → silu(gate) · value [t, f] (arXiv:2002.05202)."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        """Multiply the value by its gate."""
        ctx.save_for_backward(both)
        gate, value = both.chunk(2, 1)
        return torch.nn.functional.silu(gate).mul_(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> Tensor:
        """Return the gradient of both halves."""
        (both,) = ctx.saved_tensors
        gate, value = both.chunk(2, 1)
        sigmoid = gate.sigmoid()
        silu = gate * sigmoid
        slope = sigmoid.add_(silu * (1 - sigmoid))
        return torch.cat([slope.mul_(value).mul_(dy), silu.mul_(dy)], 1)


class Rotary(Function):
    """Turn each head of x [t, heads, d] by its position: cos, sin [t, 1, d/2] (arXiv:2104.09864).

    The halves of a head belong together, as in Hugging Face's layout.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Turn forwards."""
        ctx.save_for_backward(cos, sin)
        return _turn(x, cos, sin)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Turn back."""
        cos, sin = ctx.saved_tensors
        return _turn(dy, cos, -sin), None, None


class HeadLoss(Function):
    """h [n, d], embedding [v, d] → cross-entropy to a `Target` of each position [n].

    Each loss depends on its own row of h alone, so that the gradient is ready when the loss is and
    the logits [n, v] are never kept.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, embedding: Tensor, words: Tensor, odds: Tensor) -> Tensor:
        """Compute losses and gradients, some rows at a time."""
        wanted = ctx.needs_input_grad[0]
        dh = torch.empty_like(h) if wanted else None
        losses = []
        for start in range(0, len(h), HEAD_ROWS):
            rows = slice(start, start + HEAD_ROWS)
            loss, slope = _head(
                _wide(h[rows] @ embedding.T), Target(words[rows], odds[rows]), wanted=wanted
            )
            losses.append(loss)
            if dh is not None:
                dh[rows] = slope.to(h.dtype) @ embedding
        ctx.save_for_backward(dh)
        return torch.cat(losses)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradient that is ready."""
        (dh,) = ctx.saved_tensors
        return dh * dy[:, None].to(dh.dtype), None, None, None


def _head(logits: Tensor, target: Target, *, wanted: bool) -> tuple[Tensor, Tensor]:
    """Return the losses and, if wanted, their slopes in the logits (whose memory they take)."""
    every = logits.logsumexp(1, keepdim=True)
    chosen = logits.gather(1, target.words) - every
    rest = (1 - target.odds.sum(1, keepdim=True)).clamp_min(0)
    others = (1 - chosen.exp().sum(1, keepdim=True)).clamp_min(TINY)
    loss = -(target.odds * chosen).sum(1, keepdim=True)
    loss = loss - torch.where(rest > 0, rest * others.log(), 0.0)
    if wanted:
        # With q the softmax, p the odds, r and o the rest of each: q (1 - r/o); chosen words q - p.
        share = torch.where(rest > 0, rest / others, 0.0)
        logits.sub_(every).exp_().mul_(1 - share)
        logits.scatter_add_(1, target.words, chosen.exp() * share - target.odds)
    return loss[:, 0], logits


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype in {torch.float32, torch.float64} else x.float()
