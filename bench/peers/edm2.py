"""EDM2's network, loss, training step and sampler in PyTorch, written from the papers to be compared with our own.

Weights are a dict of tensors by their published names. Memory format is that of the images and weights given.
"""

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


def mp_sum(a, b, t):
    return torch.lerp(a, b, t) / math.sqrt((1 - t) ** 2 + t**2)


def mp_cat(a, b, t=0.5):
    channels_a, channels_b = a.shape[1], b.shape[1]
    scale = math.sqrt((channels_a + channels_b) / ((1 - t) ** 2 + t**2))
    return torch.cat([a * (scale * (1 - t) / math.sqrt(channels_a)), b * (scale * t / math.sqrt(channels_b))], dim=1)


def mp_layer(x, weight, gain=1.0):
    """A linear layer or convolution whose weights are normalized on the way."""
    fan_in = weight[0].numel()
    w = normalize(weight) * (gain / math.sqrt(fan_in))
    if w.dim() == 2:
        return x @ w.t()
    return F.conv2d(x, w, padding=w.shape[-1] // 2)


def mp_fourier(x, freqs, phases):
    return math.sqrt(2) * torch.cos(torch.outer(x, freqs) + phases)


@torch.no_grad()
def project(weights):
    """Forced weight normalization."""
    for name, weight in weights.items():
        if name.endswith("weight"):
            weight.copy_(normalize(weight))


def cosine_attention(qkv, heads):
    batch, channels, height, width = qkv.shape
    per_head = channels // (3 * heads)
    parts = normalize(qkv.reshape(batch, heads, per_head, 3, height * width), dim=2)
    query, key, value = parts.unbind(3)
    weights = torch.softmax(query.transpose(-2, -1) @ key / math.sqrt(per_head), dim=-1)
    return (value @ weights.transpose(-2, -1)).reshape(batch, channels // 3, height, width)


def block(w, prefix, x, emb, flavor, mode="keep", heads=0):
    if mode == "down":
        x = F.avg_pool2d(x, 2)
    elif mode == "up":
        x = F.interpolate(x, scale_factor=2, mode="nearest")
    skip = w.get(f"{prefix}conv_skip.weight")
    if flavor == "enc":
        x = pixel_norm(x if skip is None else mp_layer(x, skip))
    y = mp_layer(mp_silu(x), w[f"{prefix}conv_res0.weight"])
    scale = mp_layer(emb, w[f"{prefix}emb_linear.weight"], w[f"{prefix}emb_gain"]) + 1
    y = mp_layer(mp_silu(y * scale[:, :, None, None]), w[f"{prefix}conv_res1.weight"])
    if flavor == "dec" and skip is not None:
        x = mp_layer(x, skip)
    x = mp_sum(x, y, 0.3)
    if heads > 0:
        mixed = cosine_attention(mp_layer(x, w[f"{prefix}attn_qkv.weight"]), heads)
        x = mp_sum(x, mp_layer(mixed, w[f"{prefix}attn_proj.weight"]), 0.3)
    return x.clip(-256, 256)


class Network:
    """The U-Net of config G in its preconditioning; weights are given at each call."""

    def __init__(self, options):
        self.options = options
        self.widths = [options["modelChannels"] * mult for mult in options["channelMult"]]

    def heads(self, level, always=False):
        resolution = self.options["imgResolution"] >> level
        if not always and resolution not in self.options["attnResolutions"]:
            return 0
        return self.widths[level] // self.options["channelsPerHead"]

    def embedding(self, w, noise_label, labels):
        emb = mp_fourier(noise_label, w["unet.emb_fourier.freqs"], w["unet.emb_fourier.phases"])
        emb = mp_layer(emb, w["unet.emb_noise.weight"])
        label = mp_layer(labels * math.sqrt(labels.shape[1]), w["unet.emb_label.weight"])
        return mp_silu(mp_sum(emb.expand_as(label), label, 0.5))

    def unet(self, w, x, noise_label, labels):
        emb = self.embedding(w, noise_label, labels)
        levels = range(len(self.widths))
        blocks = self.options["numBlocks"]
        name = lambda side, level, rest: f"unet.{side}.{(r := self.options['imgResolution'] >> level)}x{r}_{rest}."
        x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
        skips = []
        for level in levels:
            if level == 0:
                x = mp_layer(x, w[name("enc", level, "conv") + "weight"])
            else:
                x = block(w, name("enc", level, "down"), x, emb, "enc", mode="down")
            skips.append(x)
            for i in range(blocks):
                x = block(w, name("enc", level, f"block{i}"), x, emb, "enc", heads=self.heads(level))
                skips.append(x)
        for level in reversed(levels):
            if level == len(self.widths) - 1:
                x = block(w, name("dec", level, "in0"), x, emb, "dec", heads=self.heads(level, always=True))
                x = block(w, name("dec", level, "in1"), x, emb, "dec")
            else:
                x = block(w, name("dec", level, "up"), x, emb, "dec", mode="up")
            for i in range(blocks + 1):
                x = mp_cat(x, skips.pop())
                x = block(w, name("dec", level, f"block{i}"), x, emb, "dec", heads=self.heads(level))
        return mp_layer(x, w["unet.out_conv.weight"], w["unet.out_gain"])

    def denoise(self, w, x, sigma, labels, sigma_data=0.5):
        """D(x; sigma) for sigma `[N]` or `[1]`, and c_noise."""
        s = sigma.reshape(-1, 1, 1, 1)
        variance = s**2 + sigma_data**2
        noise_label = sigma.log() / 4
        output = self.unet(w, x / variance.sqrt(), noise_label, labels)
        return x * (sigma_data**2 / variance) + output * (s * sigma_data / variance.sqrt()), noise_label

    def loss(self, w, images, labels, z, noise, sigma_data=0.5):
        """The loss of each element."""
        sigma = (z - 0.4).exp()
        s = sigma.reshape(-1, 1, 1, 1)
        weight = (s**2 + sigma_data**2) / (s * sigma_data) ** 2
        denoised, noise_label = self.denoise(w, images + noise * s, sigma, labels)
        features = mp_fourier(noise_label, w["logvar_fourier.freqs"], w["logvar_fourier.phases"])
        logvar = mp_layer(features, w["logvar_linear.weight"]).reshape(-1, 1, 1, 1)
        return weight / logvar.exp() * (denoised - images) ** 2 + logvar


class Training:
    """Adam on the loss, forced weight normalization before each forward pass, averages after each step."""

    def __init__(self, task, weights, data):
        self.task = task
        self.network = Network(task["network"])
        self.weights = weights
        self.images, self.labels, self.noise, self.z = data
        self.trained = [w for name, w in weights.items() if not name.endswith(("freqs", "phases"))]
        for weight in self.trained:
            weight.requires_grad_()
        self.averages = [[w.detach().clone() for w in self.trained] for _ in task["emaExponents"]]
        self.adam = torch.optim.Adam(self.trained, lr=task["learningRate"], betas=(0.9, 0.99), eps=1e-8, foreach=True)
        self.seen = 0

    def step(self):
        project(self.weights)
        elements = self.network.loss(self.weights, self.images, self.labels, self.z, self.noise)
        self.adam.zero_grad(set_to_none=True)
        (elements.sum() / len(self.images)).backward()
        with torch.no_grad():
            for weight in self.trained:
                torch.nan_to_num(weight.grad, nan=0, posinf=0, neginf=0, out=weight.grad)
        self.adam.step()
        self.seen += len(self.images)
        with torch.no_grad():
            for average, exponent in zip(self.averages, self.task["emaExponents"]):
                beta = (1 - len(self.images) / self.seen) ** (exponent + 1)
                torch._foreach_mul_(average, beta)
                torch._foreach_add_(average, self.trained, alpha=1 - beta)
        return elements.detach().mean()


@torch.no_grad()
def sample(network, weights, noise, labels, sigmas):
    """Heun's method; the last step is Euler's."""

    def slope_at(x, sigma):
        denoised, _ = network.denoise(weights, x, torch.tensor([sigma], device=x.device), labels)
        return (x - denoised) / sigma

    x = noise * sigmas[0]
    for current, following in zip(sigmas, sigmas[1:]):
        slope = slope_at(x, current)
        euler = x + slope * (following - current)
        if following > 0:
            slope = (slope + slope_at(euler, following)) / 2
            x = x + slope * (following - current)
        else:
            x = euler
    return x
