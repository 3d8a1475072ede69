"""Training against PyTorch eager in one run: `python benchmarks/training.py`. Needs PyTorch.

64-10-10 and 784-10-10, ReLU, softmax, cross entropy, Adam at 0.001, 10 epochs of batches of 64 on random rows; float64, one thread
each, from the same weights, with the same batches in the same order. Best of several rounds in turns; losses after the same steps.
"""

import os

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}  # read when NumPy is loaded

import time

import numpy as np
import torch

import backproplab as bp

ROUNDS, EPOCHS, BATCH, ROWS, SEED, GOAL, SAME = 15, 10, 64, 4096, 0, 0.5, 1e-6


def case(inputs):
    rng = np.random.default_rng(SEED)
    net = bp.Network([inputs, 10, 10], ["relu", "softmax"], "cross_entropy", seed=SEED)
    return net, rng.normal(size=(ROWS, inputs)), rng.integers(0, 10, ROWS)


def ours(net, X, Y):
    start = time.perf_counter()
    history = bp.train(net, X, Y, bp.Adam(0.001), EPOCHS, BATCH, SEED)
    return time.perf_counter() - start, history.losses


def eager(net, X, Y):
    """The same in PyTorch, as its tutorials write it; per epoch the mean over the batches, as ours."""
    model = torch.nn.Sequential(torch.nn.Linear(X.shape[1], 10), torch.nn.ReLU(), torch.nn.Linear(10, 10)).double()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), net.parameters.values(), strict=True):
            parameter.copy_(torch.tensor(value))
    X, Y, rng, losses = torch.tensor(X), torch.tensor(Y), np.random.default_rng(SEED), []
    start = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    for _ in range(EPOCHS):
        total = 0.0
        for rows in torch.tensor(rng.permutation(len(X))).split(BATCH):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X[rows]), Y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(X))
    return time.perf_counter() - start, losses


def main():
    torch.set_num_threads(1)
    print("| what | ratio | goal | largest difference of an epoch's loss |\n|---|---|---|---|")
    for inputs in (64, 784):
        net, X, Y = case(inputs)
        pairs = [(ours(case(inputs)[0], X, Y), eager(net, X, Y)) for _ in range(ROUNDS)]
        ratio = min(a[0] for a, _ in pairs) / min(b[0] for _, b in pairs)
        apart = max(abs(a - b) for a, b in zip(pairs[0][0][1], pairs[0][1][1], strict=True))
        same = "" if apart <= SAME else f", more than {SAME}"
        print(f"| training [{inputs}, 10, 10] / PyTorch eager | {ratio:.2f} | {GOAL} | {apart:.1e}{same} |", flush=True)


if __name__ == "__main__":
    main()
