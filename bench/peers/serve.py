"""The bench's side of its protocol, in Python: JSON requests in, marked JSON answers out, arrays in files of float32."""

import array
import json
import sys
import time


class Unsupported(Exception):
    """The library cannot do what was asked."""


class Prepared:
    """A task made ready. `run` computes it once; `results` gives flat float32 buffers of what a run computed."""

    def __init__(self, run, results, note=None):
        self.run = run
        self.results = results
        self.note = note


def load(inputs):
    """The inputs' values as `(name, shape, array of float32)`."""
    loaded = []
    for one in inputs:
        values = array.array("f")
        with open(one["file"], "rb") as file:
            values.frombytes(file.read())
        loaded.append((one["name"], one["shape"], values))
    return loaded


def serve(about, prepare, batch_seconds=0.004, wake_seconds=0, wait=lambda: None):
    """Answers until the input ends. `prepare(task, inputs)` gives a Prepared, or raises Unsupported.

    Runs are measured so many at a time that they take `batch_seconds`, after others of `wake_seconds` in all, in which a
    device gets up to its clock; `wait` returns when all of them are computed.
    """
    say({"is": "ready", "about": about})
    prepared = None
    batch = 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["ask"] == "prepare":
                prepared = prepare(request["task"], load(request["inputs"]))
                started = time.perf_counter()
                prepared.run()
                wait()
                first = time.perf_counter() - started
                results = prepared.results()
                for i, values in enumerate(results):
                    with open(f"{request['results']}-{i}.f32", "wb") as file:
                        file.write(values)
                batch = warm(prepared.run, first, batch_seconds, wait)
                answer = {"is": "prepared", "results": len(results), "firstMilliseconds": 1000 * first}
                if prepared.note is not None:
                    answer["note"] = prepared.note
                say(answer)
            elif request["ask"] == "measure":
                if wake_seconds > 0:
                    measure(prepared.run, batch, wake_seconds, wait)
                samples = measure(prepared.run, batch, request["milliseconds"] / 1000, wait)
                say({"is": "measured", "samples": samples})
            else:
                prepared = None
                say({"is": "released"})
        except Unsupported as error:
            say({"is": "unsupported", "reason": str(error)})
        except Exception as error:  # the bench shows it and goes on
            say({"is": "failed", "reason": f"{type(error).__name__}: {error}"})


def warm(run, first, batch_seconds, wait):
    """Runs for a moment; gives how many runs take a few milliseconds."""
    if first > 3:
        return 1
    started = time.perf_counter()
    fastest = first
    for i in range(1000):
        before = time.perf_counter()
        if i >= 3 and before - started > 0.1 or before - started > 3:
            break
        run()
        wait()
        fastest = min(fastest, time.perf_counter() - before)
    return max(1, min(1000, round(batch_seconds / fastest)))


def measure(run, batch, seconds, wait):
    """Milliseconds of a run, from `batch` of them at a time."""
    samples = []
    started = time.perf_counter()
    while not samples or time.perf_counter() - started < seconds:
        before = time.perf_counter()
        for _ in range(batch):
            run()
        wait()
        samples.append(1000 * (time.perf_counter() - before) / batch)
    return samples


def say(answer):
    sys.stdout.write("@@" + json.dumps(answer) + "\n")
    sys.stdout.flush()
