"""PyTorch: `pytorch.py <threads> [device]`, on the CPU unless told."""

import ctypes
import os
import sys
import time

import torch
import torch.nn.functional as F

import edm2
from serve import Prepared, Unsupported, serve

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
device = torch.device(sys.argv[2] if len(sys.argv) > 2 else "cpu")
# Products in float32 throughout, as everybody else's.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


def tensors(inputs):
    return [torch.frombuffer(values, dtype=torch.float32).reshape(shape).clone().to(device) for _, shape, values in inputs]


def flat(*results):
    """The bytes of each, without NumPy, which not everybody has."""
    placed = [result.detach().contiguous().cpu() for result in results]
    return [ctypes.string_at(one.data_ptr(), 4 * one.numel()) for one in placed]


def kept(compute):
    """Keeps the latest result, as any program would."""
    state = {}

    def run():
        state["result"] = compute()

    def results():
        result = state["result"]
        return flat(*result) if isinstance(result, (list, tuple)) else flat(result)

    return run, results


def faster(variants):
    """The variant that is faster in the better of three runs, as `(name, compute)`."""

    def best(compute):
        compute()
        wait()
        times = []
        for _ in range(3):
            started = time.perf_counter()
            compute()
            wait()
            times.append(time.perf_counter() - started)
        return min(times)

    return min(variants.items(), key=lambda item: best(item[1]))


def convolution(task, inputs):
    padding = [(task["kernel"] - 1) // 2] * 2
    batch, size = task["batch"], task["size"]
    x_shape = (batch, task["inChannels"], size, size)
    weight_shape = (task["outChannels"], task["inChannels"], task["kernel"], task["kernel"])

    def compute_in(memory_format):
        first, second = [one.contiguous(memory_format=memory_format) for one in tensors(inputs)]
        if task["role"] == "forward":
            return lambda: F.conv2d(first, second, padding=padding)
        is_input = task["role"] == "input-gradient"
        gradient = first if is_input else second
        empty = lambda shape: torch.empty(shape, device=device).contiguous(memory_format=memory_format)
        x = first if not is_input else empty(x_shape)
        weight = second if is_input else empty(weight_shape)
        mask = [is_input, not is_input, False]

        def backward():
            return torch.ops.aten.convolution_backward(
                gradient, x, weight, None, [1, 1], padding, [1, 1], False, [0, 0], 1, mask
            )[0 if is_input else 1]

        return backward

    return faster(
        {
            "NCHW": compute_in(torch.contiguous_format),
            "channels last": compute_in(torch.channels_last),
        }
    )


def attention(inputs):
    query, key, value = tensors(inputs)
    scale = query.shape[-1] ** -0.5
    return lambda: torch.softmax(query @ key.transpose(-2, -1) * scale, -1) @ value


def chain(task, inputs):
    x, w = tensors(inputs)

    def compute():
        y = x
        for _ in range(task["count"]):
            y = y @ w
        return y

    return compute


def copy(inputs):
    (x,) = tensors(inputs)
    y = torch.empty_like(x)
    return lambda: y.copy_(x)


ELEMENTWISE = {
    "mp-silu": edm2.mp_silu,
    "mp-silu-sum": lambda x, y: edm2.mp_sum(edm2.mp_silu(x), y, 0.3),
    "pixel-norm": edm2.pixel_norm,
    "weight-norm": edm2.normalize,
    "softmax": lambda x: torch.softmax(x, -1),
    "add": torch.add,
    "sum": torch.sum,
}


def elementwise(task, inputs):
    given = tensors(inputs)
    operation = ELEMENTWISE[task["operation"]]

    def compute_in(memory_format):
        placed = [one.contiguous(memory_format=memory_format) if one.dim() == 4 else one for one in given]
        return lambda: operation(*placed)

    if given[0].dim() != 4 or task["operation"] == "weight-norm":
        return None, compute_in(torch.contiguous_format)
    return faster(
        {"NCHW": compute_in(torch.contiguous_format), "channels last": compute_in(torch.channels_last)}
    )


@torch.no_grad()
def prepare_kernel(task, inputs):
    kind, note = task["kind"], None
    if kind == "sgemm":
        a, b = tensors(inputs)
        compute = lambda: a @ b
    elif kind == "convolution":
        note, compute = convolution(task, inputs)
    elif kind == "attention":
        compute = attention(inputs)
    elif kind == "chain":
        compute = chain(task, inputs)
    elif kind == "copy":
        compute = copy(inputs)
    else:
        note, compute = elementwise(task, inputs)
    run, results = kept(torch.no_grad()(compute))
    return Prepared(run, results, note)


def placed(inputs, memory_format):
    """Tensors by name, images and kernels in a memory format."""
    named = {name: one for (name, _, _), one in zip(inputs, tensors(inputs))}
    return {k: v.contiguous(memory_format=memory_format) if v.dim() == 4 else v for k, v in named.items()}


FORMATS = {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}


def block(task, inputs):
    def compute_in(memory_format):
        given = placed(inputs, memory_format)
        gradient = given.pop("gradient")
        sources = list(given.values())
        for one in sources:
            one.requires_grad_()
        weights = {name: one for name, one in given.items() if name not in ("x", "emb")}

        def forward():
            edm2.project(weights)
            return edm2.block(weights, "", given["x"], given["emb"], task["flavor"], heads=task["heads"])

        def both():
            y = forward()
            return [y, *torch.autograd.grad(y, sources, gradient)]

        return torch.no_grad()(forward) if task["isForwardOnly"] else both

    note, compute = faster({name: compute_in(memory_format) for name, memory_format in FORMATS.items()})
    run, results = kept(compute)
    return Prepared(run, results, note)


def training(task, inputs):
    """Results are of three steps: two of them before the first run."""

    def start(memory_format):
        weights = placed(inputs, memory_format)
        data = [weights.pop(name) for name in ("images", "labels", "noise", "sigma")]
        return edm2.Training(task, weights, data)

    note, _ = faster({name: start(memory_format).step for name, memory_format in FORMATS.items()})
    train = start(FORMATS[note])
    losses = [train.step(), train.step()]

    def run():
        loss = train.step()
        if len(losses) < 3:
            losses.append(loss)

    def results():
        joined = [torch.cat([w.detach().reshape(-1) for w in ws]) for ws in (train.trained, train.averages[0])]
        return flat(torch.stack(losses), *joined)

    return Prepared(run, results, note)


def sampling(task, inputs):
    network = edm2.Network(task["network"])

    def compute_in(memory_format):
        weights = placed(inputs, memory_format)
        noise, labels = weights.pop("noise"), weights.pop("labels")
        return lambda sigmas=task["sigmas"]: edm2.sample(network, weights, noise, labels, sigmas)

    computes = {name: compute_in(memory_format) for name, memory_format in FORMATS.items()}
    # One step is enough to see which is faster.
    note, _ = faster({name: lambda compute=compute: compute([1.0, 0.0]) for name, compute in computes.items()})
    run, results = kept(computes[note])
    return Prepared(run, results, note)


def prepare(task, inputs):
    kind = task["kind"]
    if kind in ("sgemm", "convolution", "attention", "elementwise", "chain", "copy"):
        return prepare_kernel(task, inputs)
    if kind == "block":
        return block(task, inputs)
    if kind == "train-step":
        return training(task, inputs)
    if kind == "sampling":
        return sampling(task, inputs)
    raise Unsupported(f"not written for {kind}")


capability = [line.split(":")[1].strip() for line in torch.__config__.show().split("\n") if "CPU capability" in line]
about = {"version": torch.__version__}
if device.type == "cuda":
    about |= {"device": torch.cuda.get_device_name(), "float32": "without TF32", "cuda": torch.version.cuda}
    serve(about, prepare, batch_seconds=0.04, wake_seconds=0.2, wait=wait)
else:
    about |= {"instructions": capability[0], "oneDNN": os.environ.get("ONEDNN_MAX_CPU_ISA", "all")}
    serve(about, prepare)
