"""Soaks: thousands of random cases under `make soak`, and the first few of each under `make test`. They print what they counted."""

import functools
import os
from collections import Counter

import numpy as np
import pytest
import textbook
from conftest import random_graph
from programs import PROGRAMS, batch_norm
from test_checking import random_net
from test_diagnosis import IN_NUMBERS, by_loops, case_for, transposed, visible
from test_normalisation import assert_as_pytorch, built_net
from test_programs import SPOILT

import backproplab as bp

ROUNDS = int(os.environ.get("BACKPROPLAB_SOAK", "1"))
FIRST = 1000  # seeds from here on are in no other test


def report(name, counted):
    print(f"\n{name}: {', '.join(f'{what} {count}' for what, count in sorted(counted.items()))}")


@pytest.mark.parametrize("harvest", [False, True], ids=["once", "each layer"])
@pytest.mark.parametrize("depth", [None, 50])
def test_mistakes(harvest, depth):
    """Every mistake in both styles of 1/n: no wrong name, and all but 1 in 200 named where the numbers show them."""
    counted, wrongly = Counter(), []
    for mistake in IN_NUMBERS:
        for seed in range(FIRST, FIRST + (ROUNDS if depth is None else max(1, ROUNDS // 20))):
            net, X, Y, how = case_for(seed, mistake, depth=depth)
            gradient = functools.partial(textbook.gradient, net, net.parameters, X, Y, harvest=harvest)
            with np.errstate(all="ignore"):
                wrong, right = gradient(**how), gradient()
            if not visible(wrong, right) or not all(np.isfinite(value).all() for value in wrong.values()):
                counted["not visible"] += 1
                continue
            found = bp.diagnose(wrong, net, X, Y)
            if mistake in found.candidates:
                counted["named"] += 1
            elif found.mistake == "none":
                verdict = bp.check_gradient(net, X, Y, claimed=wrong).verdict
                counted["called right" if verdict == "agree" else verdict] += 1
            elif found.mistake == "unknown":
                counted["unknown"] += 1
            else:
                wrongly.append((mistake, seed, found.mistake))
            counted["right called wrong"] += bp.diagnose(right, net, X, Y).mistake != "none"
    report(f"mistakes, 1/n {'in each layer' if harvest else 'once'}, depth {depth or '2 to 4'}", counted)
    assert not wrongly and not counted["called right"] and not counted["right called wrong"] and not counted["disagree"]
    assert counted["undecided"] <= (0 if depth is None else 0.02 * counted["named"])
    assert counted["unknown"] <= 0.005 * (counted["named"] + counted["unknown"])


@pytest.mark.parametrize("kind", ["plain", "whole", "saturated"])
def test_networks(kind):
    """Right gradients of random nets, also at kinks and saturated, are never called wrong; wrong ones never right."""
    counted = Counter()
    for seed in range(FIRST, FIRST + 8 * ROUNDS):
        net, X, Y = random_net(seed, whole=kind == "whole", spread=6.0 if kind == "saturated" else 1.0)
        variant = (textbook.gradient, functools.partial(textbook.gradient, harvest=True), transposed, by_loops)[
            seed % 4
        ]
        with np.errstate(all="ignore"):
            right = variant(net, net.parameters, X, Y)
        for witness in ("complex step", "central differences"):
            counted[f"right: {bp.check_gradient(net, X, Y, claimed=right, witness=witness).verdict}"] += 1
            name = str(np.random.default_rng(seed).choice(list(right)))
            if right[name].any():
                spoilt = right | {name: right[name] * (1 + 1e-3)}
                check = bp.check_gradient(net, X, Y, claimed=spoilt, witness=witness)
                counted[f"wrong: {check.verdict}"] += 1
    report(f"networks, {kind}", counted)
    assert not counted["right: disagree"] and not counted["wrong: agree"]


def test_graphs():
    """The walk's gradient of random graphs, and one that is a thousandth off."""
    counted = Counter()
    for seed in range(FIRST, FIRST + 20 * ROUNDS):
        graph, numbers = random_graph(seed)
        for witness in ("complex step", "central differences"):
            check = bp.check_gradient(graph, at=numbers, witness=witness)
            counted[f"right: {check.verdict}"] += 1
            spoilt = {name: value * 1.001 for name, value in check.claimed.items() if value}
            if spoilt:
                counted[f"wrong: {bp.check_gradient(graph, at=numbers, claimed=spoilt, witness=witness).verdict}"] += 1
    report("graphs", counted)
    assert not counted["right: disagree"] and not counted["wrong: agree"]


def test_programs():
    """Programs of no kind that the package knows, right and with one name spoilt."""
    counted = Counter()
    for make in PROGRAMS:
        for seed in range(FIRST, FIRST + max(1, ROUNDS // 10)):
            rng = np.random.default_rng(seed)
            at, function, by_hand = make(rng)
            right = by_hand(at)
            check = bp.check_gradient(function, at=at, claimed=by_hand)
            for name, verdict in check.verdicts.items():
                counted[f"right: {verdict}" + (" (a gradient of 0)" if (make, name) == (batch_norm, "b") else "")] += 1
            name = str(rng.choice([name for name in right if (make, name) != (batch_norm, "b")]))
            wrong = SPOILT[str(rng.choice(list(SPOILT)))](np.asarray(right[name]))
            if not np.array_equal(wrong, right[name]):
                verdict = bp.check_gradient(function, at=at, claimed=right | {name: wrong}).verdicts[name]
                counted[f"wrong: {verdict}"] += 1
    report("programs", counted)
    assert not any(count for what, count in counted.items() if what.startswith(("right: disagree", "wrong: agree")))


def test_normalised_nets_against_pytorch():
    """Nets with batch normalisation and skips: loss, gradients, training, running statistics and inference as PyTorch has them."""
    pytest.importorskip("torch")
    for seed in range(FIRST, FIRST + 2 + ROUNDS):
        assert_as_pytorch(seed)
    print(f"\nnormalised nets: {2 + ROUNDS} as in PyTorch")


def test_normalised_nets_are_judged_rightly():
    """Right gradients of nets with batch normalisation and skips, by a program of its own, and the same a thousandth off."""
    counted = Counter()
    for seed in range(FIRST, FIRST + 2 + 4 * (ROUNDS - 1)):
        net, X, Y = built_net(seed)
        rows = net.forward(X, Y)["Y"]
        right = textbook.gradient(net, net.parameters, X, rows)
        counted[f"right: {bp.check_gradient(net, X, Y, claimed=right).verdict}"] += 1
        counted[f"right: {bp.diagnose(right, net, X, Y).mistake}"] += 1
        name = str(np.random.default_rng(seed).choice(list(right)))
        if right[name].any():
            spoilt = right | {name: right[name] * (1 + 1e-3)}
            counted[f"wrong: {bp.check_gradient(net, X, Y, claimed=spoilt).verdict}"] += 1
    report("normalised nets", counted)
    assert not counted["right: disagree"] and not counted["wrong: agree"]
    assert set(counted) <= {"right: agree", "right: undecided", "right: none", "wrong: disagree", "wrong: undecided"}
