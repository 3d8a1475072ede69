"""Several workers, each with some of the rows, learn together as one would with all rows.

torchrun --standalone --local-addr 127.0.0.1 --nproc-per-node 2 two_workers.py 16 8
"""

import gc
import json
import sys

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import backproplab as bp

dist.init_process_group("gloo")
rank, workers = dist.get_rank(), dist.get_world_size()  # who am I, and how many are we?
sizes = [int(size) for size in sys.argv[1:]]
if len(sizes) != workers:
    raise SystemExit(f"two_workers: give {workers} numbers of rows, found {len(sizes)}")
n, mine = sum(sizes), slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
X, Y = map(torch.tensor, bp.datasets.moons(n, seed=0))
x, y = X[mine], Y[mine]


def learn(way, factor):
    """Twenty steps: the gradient of the first, and the loss over all rows in the end."""
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy", seed=4)
    model = net.to_torch()[:-1]
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


part = len(y) / n  # of all rows
factors = {"by hand": part, "DDP": 1, "DDP weighted": workers * part}
found = {way: learn(way, factor) for way, factor in factors.items()}
if rank == 0:
    print(json.dumps(found))
gc.collect()  # what still holds the group goes first: a group that outlives Python aborts the process
dist.destroy_process_group()
