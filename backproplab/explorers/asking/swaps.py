"""Another activation or loss in the place of the model's: the same computation but for one function, and the terms that this changes."""

import re

from ...functions.activations import ACTIVATIONS
from ...functions.losses import LOSSES
from ...given import shown
from ...models.graph import Graph
from ...models.network import Network
from ..wide.layers import layers_of

MOST_EDGES = 300


def functions_of(model):
    """What can be swapped: {place: (what stands there, what may)}. Of a graph lines that are one call; of a network A1, A2, ..., L."""
    if isinstance(model, Graph):
        calls = {name: line.tree.op for name, line in model.lines.items() if not line.places}
        return {
            name: (op, tuple(ACTIVATIONS))
            for name, op in calls.items()
            if op in ACTIVATIONS and _begins(model.lines[name], op)
        }
    needs, last = LOSSES[model.loss_name].fused, model.activations[-1]
    found = {f"A{layer}": (name, tuple(ACTIVATIONS)) for layer, name in enumerate(model.activations, 1)}
    found[f"A{model.depth}"] = (last, (needs,) if needs else (*ACTIVATIONS, "softmax"))
    losses = tuple(name for name, row in LOSSES.items() if row.fused in (None, last))
    return found | {"L": (model.loss_name, losses)}


def _begins(line, op):
    return re.match(rf"\s*{op}\b", str(line)) is not None


def swapped(model, changes):
    """The model with other functions, by place. ValueError: no such place, or none of its functions. TypeError: no dict."""
    if not isinstance(changes, dict):
        raise TypeError(f'explore: functions is a dict such as {{"a": "tanh"}}, found {shown(changes)}')
    for place, name in changes.items():
        places = functions_of(model)
        if place not in places:
            raise ValueError(
                f"explore: nothing to swap at {place!r:.40}; one can swap at {', '.join(places) or 'no line of this graph'}"
            )
        if name not in places[place][1]:
            raise ValueError(f"explore: at {place} stands one of {', '.join(places[place][1])}, found {shown(name)}")
        model = _with(model, place, name, places)
    return model


def _with(model, place, name, places):
    if isinstance(model, Graph):
        lines = {line: str(text) for line, text in model.lines.items()}
        lines[place] = re.sub(rf"^\s*{places[place][0]}\b", name, lines[place])
        return Graph(lines).with_numbers(**model.numbers)
    now = {key: found for key, (found, _) in places.items()} | {place: name}
    loss = now.pop("L")
    kept = dict(l2=model.l2, reduction=model.reduction, residual=model.residual)
    return Network.from_parameters(model.parameters, list(now.values()), loss, **kept)


def changed_terms(old, new):
    """The edges of the new graph whose term is another one than in the old, or was not there."""
    before = {term.edge: term.formula for term in old.terms()}
    return [term.edge for term in new.terms() if before.get(term.edge) != term.formula]


def check_size(graph):
    """ValueError: more edges than a page can show, or none."""
    terms = graph.terms()
    if len(terms) > MOST_EDGES:
        raise ValueError(
            f"explore: the graph has {len(terms)} edges, more than the {MOST_EDGES} that a page can show; "
            "explore a part of its lines, or a smaller network"
        )
    if not terms:
        raise ValueError("explore: no line uses a name, so there is nothing to differentiate")


def unrolled(model, x, y):
    """The graph and the layers of one example of a network; a graph as it is."""
    return (model.graph(x, y), layers_of(model, x, y)) if isinstance(model, Network) else (model, None)
