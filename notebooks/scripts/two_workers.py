"""Several workers, each with some of the rows, learn together as one would that has all rows.

python -m torch.distributed.run --standalone --local-addr 127.0.0.1 --nproc-per-node 2 two_workers.py 16 8
"""

import json
import sys

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import backproplab as bp

dist.init_process_group("gloo")
sizes, rank, workers = [int(size) for size in sys.argv[1:]], dist.get_rank(), dist.get_world_size()
if len(sizes) != workers:
    raise SystemExit(f"two_workers: {workers} workers need {workers} numbers of rows, found {len(sizes)}")
n, before = sum(sizes), sum(sizes[:rank])
X, Y = map(torch.tensor, bp.datasets.moons(n, seed=0))
x, y = X[before : before + sizes[rank]], Y[before : before + sizes[rank]]  # my rows


def learn(way, factor):
    """Twenty steps of descent: the gradient of the first, and the loss over all rows after the last."""
    model = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy", seed=4).to_torch()[:-1]
    if way != "by hand":
        model = DistributedDataParallel(model)
    optimizer, gradients = torch.optim.SGD(model.parameters(), lr=0.5), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = factor * cross_entropy(model(x), y)  # a factor, times the mean over my rows
        loss.backward()  # DDP: each gradient is now the mean over the workers
        if way == "by hand":
            for p in model.parameters():
                dist.all_reduce(p.grad)  # each gradient is now the sum over the workers
        gradients.append([p.grad.tolist() for p in model.parameters()])
        optimizer.step()
    return {"gradient": gradients[0], "loss": cross_entropy(model(X), Y).item()}


mine = len(y) / n  # my part of all rows
found = {way: learn(way, factor) for way, factor in {"by hand": mine, "DDP": 1, "DDP weighted": workers * mine}.items()}
if rank == 0:
    print(json.dumps(found))
dist.destroy_process_group()
