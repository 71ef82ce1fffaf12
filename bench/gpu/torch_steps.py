"""Times PyTorch on the machine's GPU: products by its own library without TF32, copies, and the training
steps of the benchmark (../workloads/networks.ts, models.ts) run eagerly, by torch.compile and as CUDA graphs.

python3 torch_steps.py [--json FILE] [--device cuda|cpu] [--sizes 512,1024] [--seconds N]
                       [--bench REPORT] [--doctor REPORT]

Figures are medians of rounds of the device's own time (events), or of the wall clock on a CPU. With reports of
the benchmark and of the doctor it sets what they measured beside its own.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

NETWORKS = [
    ("784-50-10 sigmoid, SGD, batch 100", (784, 50, 10), nn.Sigmoid, "sgd", 0.1, 100),
    ("784-128-10 relu, Adam, batch 64", (784, 128, 10), nn.ReLU, "adam", 1e-3, 64),
    ("784-512-512-10 relu, Adam, batch 128", (784, 512, 512, 10), nn.ReLU, "adam", 1e-3, 128),
]
CNN = "CNN 3×3×16, 3×3×32, dense, Adam, batch 100"
ROUNDS, ROUND_MS, MOST_RUNS = 5, 50.0, 2000


class Timer:
    """Milliseconds of one call, calls back to back: the median of some rounds."""

    def __init__(self, device):
        self.is_cuda = device == "cuda"

    def wait(self):
        if self.is_cuda:
            torch.cuda.synchronize()

    def round(self, call, runs):
        if self.is_cuda:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            for _ in range(runs):
                call()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) / runs
        start = time.perf_counter()
        for _ in range(runs):
            call()
        return (time.perf_counter() - start) * 1e3 / runs

    def __call__(self, call):
        for _ in range(3):
            call()
        self.wait()
        once = self.round(call, 3)
        runs = max(1, min(MOST_RUNS, int(ROUND_MS / max(once, 1e-4))))
        return statistics.median(self.round(call, runs) for _ in range(ROUNDS))


class Report:
    def __init__(self, options):
        self.options, self.until = options, time.monotonic() + options.seconds
        is_cuda = options.device == "cuda"
        name = torch.cuda.get_device_name() if is_cuda else "cpu"
        self.rows = []
        self.head = {"format": "gradus-torch/1", "torch": torch.__version__, "device": name}
        print(f"PyTorch {torch.__version__}, {name}")

    def attempt(self, workload, how, unit, work, measure):
        """Times one thing; what breaks, or comes too late, is told of and leaves the others alone."""
        row = {"workload": workload, "how": how}
        self.rows.append(row)
        try:
            if time.monotonic() > self.until:
                raise TimeoutError("no time left")
            row["milliseconds"] = measure()
            row[unit] = work / row["milliseconds"]
            told = f"{row['milliseconds']:10.4f} ms  {row[unit]:10.4g} {unit}"
        except Exception as error:  # noqa: BLE001
            told = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
            row["failed"] = told
        print(f"{workload:52s} {how:26s} {told}", flush=True)

    def write(self):
        if self.options.json:
            with open(self.options.json, "w", encoding="utf-8") as file:
                json.dump({**self.head, "rows": self.rows}, file, indent=1, ensure_ascii=False)


def graphed(call):
    """A call as a CUDA graph that is replayed."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def products(report, timer, device):
    for n in report.options.sizes:

        def measure(n=n):
            a, b = (torch.empty(n, n, device=device).uniform_(-1, 1) for _ in range(2))
            y = torch.empty_like(a)
            return timer(lambda: torch.mm(a, b, out=y))

        report.attempt(f"{n} × {n}", "SGEMM", "GFLOP/s", 2 * n**3 / 1e6, measure)


def copies(report, timer, device):
    n = 1 << (28 if device == "cuda" else 22)

    def measure():
        x = torch.empty(n, device=device).uniform_()
        y = torch.empty_like(x)
        return timer(lambda: y.copy_(x))

    report.attempt("copies", "copy_", "GB/s", 8 * n / 1e6, measure)


def dense(sizes, activation):
    layers = []
    for i, pair in enumerate(zip(sizes, sizes[1:])):
        layers += [activation()] if i > 0 else []
        layers.append(nn.Linear(*pair))
    return nn.Sequential(*layers)


def convolutional():
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(7 * 7 * 32, 10))


def training(report, timer, device, is_compiled, name, make, optimizer, rate, shape):
    batch = shape[0]
    x = torch.empty(*shape, device=device).uniform_(0, 1)
    labels = torch.randint(0, 10, (batch,), device=device)

    def fresh():
        torch.manual_seed(0)
        model = make().to(device)
        if optimizer == "sgd":
            return model, torch.optim.SGD(model.parameters(), lr=rate)
        fast = {"fused": True, "capturable": True} if device == "cuda" else {}
        return model, torch.optim.Adam(model.parameters(), lr=rate, eps=1e-8, **fast)

    def step_of(model, update):
        def step():
            update.zero_grad(set_to_none=True)
            F.cross_entropy(model(x), labels).backward()
            update.step()

        return step

    def compiled():
        model, update = fresh()
        return step_of(torch.compile(model), update)

    ways = {}
    if not is_compiled:
        ways["eager"] = lambda: step_of(*fresh())
    if not is_compiled and device == "cuda":
        ways["CUDA graph"] = lambda: graphed(step_of(*fresh()))
    if is_compiled and hasattr(torch, "compile"):
        ways["torch.compile"] = compiled
        ways["torch.compile, whole step"] = lambda: torch.compile(step_of(*fresh()))
    for how, make_step in ways.items():

        def measure(make_step=make_step):
            return timer(make_step())

        report.attempt(f"training {name}", how, "steps/s", 1e3, measure)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ours(options):
    """Figures of Gradus by workload, of the reports that there are."""
    figures = {}
    if options.bench:
        for result in read(options.bench)["results"]:
            if result["peer"] == "gradus-webgpu" and "figure" in result:
                figures[result["workload"]] = result["figure"]
    if options.doctor:
        for line in read(options.doctor)["lines"]:
            if line["check"] == "Products":
                figures.update({row["name"]: row.get("figure") for row in line.get("rows", [])})
            if line["check"] == "Training" and "figure" in line:
                figures.setdefault(f"training {line['name'].split(': ', 1)[1]}", line["figure"])
            if line["check"] == "Ceilings" and line["name"] == "copies":
                figures["copies"] = line["figure"]
    return figures


def compare(report):
    """Says how many times as fast Gradus is as each way of PyTorch's."""
    figures = ours(report.options)
    rows = [row for row in report.rows if figures.get(row["workload"]) and "milliseconds" in row]
    if not rows:
        return
    print("\nGradus on WebGPU, as a multiple of PyTorch's speed")
    for row in rows:
        unit = next(unit for unit in ("GFLOP/s", "GB/s", "steps/s") if unit in row)
        mine = figures[row["workload"]]
        row["gradus"], row["ratio"] = mine, mine / row[unit]
        amounts = f"{mine:10.4g} of {row[unit]:10.4g} {unit}"
        print(f"{row['workload']:52s} {row['how']:26s} {row['ratio']:6.2f} ×  {amounts}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--sizes", default="512,1024,2048,4096,8192")
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--bench")
    parser.add_argument("--doctor")
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes.split(",")]
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device, timer, report = options.device, Timer(options.device), Report(options)
    products(report, timer, device)
    copies(report, timer, device)
    for is_compiled in (False, True):  # what compiles takes longest, and comes last
        for name, sizes, activation, optimizer, rate, batch in NETWORKS:
            make = lambda sizes=sizes, activation=activation: dense(sizes, activation)  # noqa: E731
            args = (name, make, optimizer, rate, (batch, sizes[0]))
            training(report, timer, device, is_compiled, *args)
        args = (CNN, convolutional, "adam", 1e-3, (100, 1, 28, 28))
        training(report, timer, device, is_compiled, *args)
    compare(report)
    report.write()


main()
