"""Trains, infers and multiplies with NumPy, as the process that starts this says.

A line of JSON on standard input names a task and how many float32 follow it; its numbers follow as
they lie in memory. Commands are lines of JSON; each is answered by one.
"""
import json
import sys

import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def read(shape):
    size = int(np.prod(shape))
    bytes_ = sys.stdin.buffer.read(4 * size)
    return np.frombuffer(bytes_, dtype=np.float32).reshape(shape).copy()


def activate(z, kind):
    if kind == "relu":
        np.maximum(z, 0, out=z)
    else:
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        np.reciprocal(z, out=z)


class Net:
    """Dense layers, trained in arrays that are made once."""

    def __init__(self, task):
        self.task = task
        sizes, rows = task["sizes"], task["batchSize"]
        pairs = list(zip(sizes, sizes[1:]))
        self.weights = [read(pair) for pair in pairs]
        self.biases = [np.zeros(n, np.float32) for _, n in pairs]
        self.batches = [(read((rows, sizes[0])), read((rows, sizes[-1]))) for _ in range(task["batches"])]
        self.outputs = [np.empty((rows, n), np.float32) for _, n in pairs]
        self.slopes = [np.empty((rows, n), np.float32) for n, _ in pairs]
        self.parameters = [p for pair in zip(self.weights, self.biases) for p in pair]
        self.gradients = [np.empty_like(p) for p in self.parameters]
        self.scratch = [np.empty_like(p) for p in self.parameters]
        self.first = [np.zeros_like(p) for p in self.parameters]
        self.second = [np.zeros_like(p) for p in self.parameters]
        self.step_number = 0

    def forward(self, x):
        inputs = []
        for i, (w, b, y) in enumerate(zip(self.weights, self.biases, self.outputs)):
            inputs.append(x)
            np.matmul(x, w, out=y)
            y += b
            if i < len(self.weights) - 1:
                activate(y, self.task["activation"])
            x = y
        return inputs

    def step(self):
        x, targets = self.batches[self.step_number % len(self.batches)]
        self.step_number += 1
        inputs = self.forward(x)
        z = self.outputs[-1]
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        loss = float((np.log(total)[:, 0] - (z * targets).sum(axis=1)).mean())
        dz = p
        dz /= total
        dz -= targets
        dz *= np.float32(1 / len(x))
        for i in reversed(range(len(self.weights))):
            np.matmul(inputs[i].T, dz, out=self.gradients[2 * i])
            dz.sum(axis=0, out=self.gradients[2 * i + 1])
            if i == 0:
                break
            dx, y = self.slopes[i], inputs[i]
            np.matmul(dz, self.weights[i].T, out=dx)
            if self.task["activation"] == "relu":
                dx *= y > 0
            else:
                dx *= y
                np.subtract(1, y, out=y)
                dx *= y
            dz = dx
        self.update()
        return loss

    def update(self):
        rate = np.float32(self.task["learningRate"])
        if self.task["optimizer"] == "sgd":
            for p, g in zip(self.parameters, self.gradients):
                g *= rate
                p -= g
            return
        t = self.step_number
        for p, g, m, v, s in zip(self.parameters, self.gradients, self.first, self.second, self.scratch):
            m *= np.float32(BETA1)
            np.multiply(g, np.float32(1 - BETA1), out=s)
            m += s
            v *= np.float32(BETA2)
            g *= g
            g *= np.float32(1 - BETA2)
            v += g
            np.multiply(v, np.float32(1 / (1 - BETA2**t)), out=s)
            np.sqrt(s, out=s)
            s += np.float32(EPSILON)
            np.divide(m, s, out=s)
            s *= np.float32(rate / (1 - BETA1**t))
            p -= s

    def result(self):
        if self.task["kind"] == "infer":
            self.forward(self.batches[0][0])
            return self.outputs[-1].ravel().tolist()
        return [self.step() for _ in range(self.task["checked"])]

    def run(self, times):
        for _ in range(times):
            if self.task["kind"] == "infer":
                self.forward(self.batches[0][0])
            else:
                self.step()


class Product:
    def __init__(self, task):
        self.a = read(task["a"])
        self.b = read(task["b"])
        if task["transposed"] == "a":
            self.a = self.a.T
        if task["transposed"] == "b":
            self.b = self.b.T
        self.y = np.empty((self.a.shape[0], self.b.shape[1]), np.float32)

    def result(self):
        self.run(1)
        return self.y.ravel().tolist()

    def run(self, times):
        for _ in range(times):
            np.matmul(self.a, self.b, out=self.y)


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def command():
    line = sys.stdin.buffer.readline()
    return json.loads(line) if line else None


answer({"version": np.__version__})
work = None
while (given := command()) is not None:
    try:
        if given["kind"] == "result":
            answer({"values": work.result()})
        elif given["kind"] == "run":
            work.run(given["times"])
            answer({})
        else:
            work = Product(given) if given["kind"] == "matmul" else Net(given)
            answer({})
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
