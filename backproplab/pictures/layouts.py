"""Where the nodes of a graph stand: columns by distance from the inputs, rows so that edges stay short."""

import itertools
from functools import lru_cache
from statistics import fmean

ROW = 98


def _columns(edges):
    """The column of each name: a line right of all it uses, an input just left of the first line that uses it."""
    column = {}
    for of, wrt in edges:
        column[of] = max(column.get(of, 0), column.setdefault(wrt, 0) + 1)
    lines = {of for of, _ in edges}
    for name in column:
        if name not in lines:
            column[name] = min(column[of] for of, wrt in edges if wrt == name) - 1
    return column


def _route(edges, column):
    """For each edge its nodes from `wrt` to `of`: a waypoint (of, wrt, column) in every column that it crosses."""
    return {(of, wrt): [wrt, *((of, wrt, c) for c in range(column[wrt] + 1, column[of])), of] for of, wrt in edges}


@lru_cache(maxsize=32)
def layout(edges):
    """Columns, routes and heights for the edges (of, wrt): kept, since a slider moves numbers, not the graph."""
    column = _columns(edges)
    routes = _route(edges, column)
    return column, routes, _rows(routes, column)


def _rows(routes, column):
    """A height for every node: near the mean of its neighbours, in its column at least one row from the next."""
    columns = {}
    for route in routes.values():
        for node in route:
            columns.setdefault(node[2] if isinstance(node, tuple) else column[node], {})[node] = None
    neighbours = {node: [] for nodes in columns.values() for node in nodes}
    for route in routes.values():
        for left, right in itertools.pairwise(route):
            neighbours[left].append(right)
            neighbours[right].append(left)
    height = {node: i * ROW for nodes in columns.values() for i, node in enumerate(nodes)}
    inner = {node for route in routes.values() for node in route[1:]}
    order = sorted(columns)
    for sweep in range(12):
        for c in order if sweep % 2 == 0 else reversed(order):
            wanted = {node: _mean(height, neighbours[node], inner) for node in columns[c]}
            ranked = sorted(columns[c], key=lambda node: (wanted[node], node not in inner))
            height |= _spread(ranked, wanted, inner)
    return height


def _mean(height, near, inner):
    """The mean height of the neighbours; inputs hang on the lines that use them, not the lines on their inputs."""
    heavy = [height[node] for node in near if node in inner] or [height[node] for node in near]
    return fmean(heavy)


def _spread(nodes, wanted, heavy):
    """Heights at least one row apart, in the order given, as near as possible to the wanted ones (weighted least squares)."""
    blocks = []
    for i, node in enumerate(nodes):
        weight = 1000 if node in heavy else 1
        blocks.append([wanted[node] - i * ROW, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, w, n), (high, v, m) = blocks.pop(), blocks.pop()
            blocks.append([(low * w + high * v) / (w + v), w + v, n + m])
    levels = [level for level, _, count in blocks for _ in range(count)]
    return {node: level + i * ROW for i, (node, level) in enumerate(zip(nodes, levels, strict=True))}
