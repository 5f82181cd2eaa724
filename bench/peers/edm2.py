"""EDM2's network, loss, training step and sampler in PyTorch, written from the papers for comparison with our own."""

import math

import torch
import torch.nn.functional as F


def normalize(x, dim=None, eps=1e-4):
    """x / (eps + rms over dim), by default over all axes but the first."""
    dims = list(range(1, x.dim())) if dim is None else [dim]
    count = math.prod(x.shape[d] for d in dims)
    norm = torch.linalg.vector_norm(x, dim=dims, keepdim=True) / math.sqrt(count)
    return x / (norm + eps)


def pixel_norm(x):
    return normalize(x, dim=1)


def mp_silu(x):
    return F.silu(x) / 0.596
