"""Speed as ratios within one run: `make bench`. Prints a table; what is not installed is left out and said so.

Each ratio compares two ways on the same arrays, in turns, by the best of several rounds, with as many threads as the machine gives both.
"""

import importlib
import itertools
import subprocess
import sys
import time

import numpy as np
import sympy as sp

import backproplab as bp

ROUNDS = 7


def seconds(work, repeat):
    """The time of one call, as the mean over `repeat` calls."""
    start = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - start) / repeat


def ratio(work, other, repeat=20):
    """How much longer `work` takes than `other`: best of rounds in turns."""
    pairs = [(seconds(work, repeat), seconds(other, repeat)) for _ in range(ROUNDS)]
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def case(sizes, n, output="softmax", loss="cross_entropy", hidden="relu", dtype=float):
    rng = np.random.default_rng(0)
    net = bp.Network(sizes, [hidden] * (len(sizes) - 2) + [output], loss=loss, dtype=dtype)
    X = rng.normal(size=(n, sizes[0])).astype(dtype)
    Y = rng.integers(0, sizes[-1], n) if loss == "cross_entropy" else rng.uniform(size=(n, sizes[-1])).astype(dtype)
    return net, X, Y


def against_pytorch():
    torch = importlib.import_module("torch")
    for sizes, n, hidden, output, loss, goal in [
        ([2, 3, 2], 1, "tanh", "sigmoid", "squared_error", 0.35),
        ([2, 16, 16, 2], 32, "tanh", "sigmoid", "squared_error", 0.35),
        ([784, 10, 10], 64, "relu", "softmax", "cross_entropy", 0.45),
    ]:
        net, X, Y = case(sizes, n, output, loss, hidden)
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in net.parameters.items()}
        inputs, targets = torch.tensor(X), torch.tensor(Y)

        def eager(net=net, leaves=leaves, inputs=inputs, targets=targets, hidden=hidden, loss=loss):
            a = inputs
            for layer in range(1, net.depth + 1):
                z = torch.nn.functional.linear(a, leaves[f"W{layer}"], leaves[f"b{layer}"])
                a = getattr(torch, hidden)(z) if layer < net.depth else z
            total = (
                torch.nn.functional.cross_entropy(z, targets)
                if loss == "cross_entropy"
                else ((torch.sigmoid(z) - targets) ** 2).sum() / 2 / len(inputs)
            )
            return torch.autograd.grad(total, list(leaves.values()))

        yield (
            f"gradient of {sizes}, {n} examples / PyTorch eager",
            ratio(lambda net=net, X=X, Y=Y: net.gradient(X, Y), eager, 100),
            goal,
        )


def against_bare_products():
    for sizes, n, goal in [([784, 512, 512, 10], 256, 1.25), ([784, 128, 64, 10], 128, 1.6)]:
        for dtype in (np.float64, np.float32):
            net, X, Y = case(sizes, n, dtype=dtype)
            trace, W = net.forward(X, Y), [net.parameters[f"W{layer}"] for layer in range(1, net.depth + 1)]
            D = [trace[f"A{layer}"] for layer in range(1, net.depth + 1)]
            A = [X, *D]

            def products(W=W, A=A, D=D):
                return (
                    [a @ w.T for a, w in zip(A, W, strict=False)],
                    [d.T @ a for d, a in zip(D, A, strict=False)],
                    [d @ w for d, w in zip(D[1:], W[1:], strict=True)],
                )

            yield (
                f"gradient of {sizes}, {n} examples, {dtype.__name__} / its matrix products",
                ratio(lambda net=net, X=X, Y=Y: net.gradient(X, Y), products, 5),
                goal,
            )


def backward_against_forward():
    for depth in (2, 10, 30, 100):
        net, X, Y = case([64] * (depth + 1), 64, hidden="tanh")
        forward = min(seconds(lambda net=net, X=X, Y=Y: net.forward(X, Y), 5) for _ in range(ROUNDS))
        both = min(seconds(lambda net=net, X=X, Y=Y: net.gradient(X, Y), 5) for _ in range(ROUNDS))
        yield f"backward / forward, {depth} layers", (both - forward) / forward, 2.5


def unit_graphs():
    """Forward and walk over a net's unit graph: time for each edge, a graph of 16 layers against one of 4."""

    def for_each_edge(depth):
        graph = bp.Network([4] * (depth + 1), ["tanh"] * depth).graph(np.ones(4), np.zeros(4))
        work = lambda: bp.backpropagate(graph.terms(graph.forward()), "L")  # noqa: E731
        return min(seconds(work, 10) for _ in range(ROUNDS)) / len(graph.terms())

    yield "unit graph, forward and walk, time an edge, 16 layers / 4 layers", for_each_edge(16) / for_each_edge(4), 1.2


def slider_against_sympy():
    graph = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2")
    numbers = {"x": 1.5, "w": -0.4, "b": 0.2, "y": 1.0}
    w, x, b, y = sp.symbols("w x b y")
    closed = ((y - 1 / (1 + sp.exp(-(w * x + b)))) ** 2 / 2).diff(w)

    ws = itertools.count()  # every move is to a new place, as a slider's: nothing comes from SymPy's cache

    def place():
        return numbers | {"w": next(ws) / 1000}

    yield (
        "trace, terms and walk of the neuron / SymPy subs",
        ratio(lambda: bp.backpropagate(graph.terms(graph.forward(**place())), "L"), lambda: closed.subs(place())),
        0.1,
    )


def imports():
    def start(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    yield (
        "import backproplab / import numpy, sympy",
        ratio(start("import backproplab"), start("import numpy, sympy"), 1),
        1.15,
    )


def main():
    print("| what | ratio | goal |\n|---|---|---|")
    for group in (
        against_pytorch,
        against_bare_products,
        backward_against_forward,
        unit_graphs,
        slider_against_sympy,
        imports,
    ):
        try:
            for what, found, goal in group():
                print(f"| {what} | {found:.2f} | {goal} |", flush=True)
        except ImportError as error:
            print(f"| {group.__name__}: {error} | not measured | |")


if __name__ == "__main__":
    main()
