"""One example of a dense network as a graph of single units: z1_2 is unit 2 of layer 1, W1_2_3 its weight from unit 3."""

from .graph import Graph

MOST_EDGES = 5000


def unroll(network, x, y):
    """The graph of one example x with its target y, with all numbers as defaults. ValueError: more than 5,000 edges."""
    edges = sum(n_out * (2 * n_in + 1) + n_out for n_in, n_out in zip(network.sizes, network.sizes[1:], strict=False))
    if edges > MOST_EDGES:
        raise ValueError(
            f"Network.graph: {edges} edges, at most {MOST_EDGES} are unrolled; use terms(trace), the same in matrices"
        )
    lines, below = [], [f"x_{i}" for i in range(1, network.sizes[0] + 1)]
    numbers = dict(zip(below, map(float, x), strict=True))
    for layer, (n_out, activation) in enumerate(zip(network.sizes[1:], network.activations, strict=True), 1):
        W, b = network.parameters[f"W{layer}"], network.parameters[f"b{layer}"]
        numbers |= {
            f"W{layer}_{j}_{i}": float(W[j - 1, i - 1]) for j in range(1, n_out + 1) for i in range(1, len(below) + 1)
        }
        numbers |= {f"b{layer}_{j}": float(b[j - 1]) for j in range(1, n_out + 1)}
        units = range(1, n_out + 1)
        for j in units:
            weighed = " + ".join(f"W{layer}_{j}_{i}*{name}" for i, name in enumerate(below, 1))
            lines.append((f"z{layer}_{j}", f"{weighed} + b{layer}_{j}"))
        logits = ", ".join(f"z{layer}_{j}" for j in units)
        for j in units:
            z = f"z{layer}_{j}"
            lines.append(
                (
                    f"a{layer}_{j}",
                    f"exp({z} - logsumexp({logits}))" if activation == "softmax" else f"{activation}({z})",
                )
            )
        below = [f"a{layer}_{j}" for j in units]
    numbers |= {f"y_{k}": float(target) for k, target in enumerate(y, 1)}
    return Graph([*lines, ("L", _loss_line(network, below))]).with_numbers(**numbers)


def _loss_line(network, outputs):
    """The loss of one example in units; the cross entropies by logsumexp and softplus of the logits, as they are computed."""
    units = list(enumerate(outputs, 1))
    logits = [name.replace("a", "z", 1) for name in outputs]
    if network.loss_name == "squared_error":
        parts = [f"(a{network.depth}_{k} - y_{k})**2/2" for k, _ in units]
    elif network.loss_name == "binary_cross_entropy":
        parts = [f"y_{k}*softplus(-{logits[k - 1]}) + (1 - y_{k})*softplus({logits[k - 1]})" for k, _ in units]
    else:
        parts = [f"y_{k}*(logsumexp({', '.join(logits)}) - {logits[k - 1]})" for k, _ in units]
    if network.l2:
        names = [
            f"W{layer}_{j + 1}_{i + 1}**2"
            for layer in network.layers
            for j in range(network.sizes[layer])
            for i in range(network.sizes[layer - 1])
        ]
        parts.append(f"{network.l2!r}/2*({' + '.join(names)})")
    return " + ".join(parts)
