"""How soon a move of the explorer of wide networks is painted, in JupyterLab in headless Chromium: the kernel computes, the page draws.

`python benchmarks/wide.py`, 40 moves each by keyboard, for Network([784, 128, 10]) with 64 examples. Needs Chromium or Chrome.
"""

import statistics

from page import moves, opened, report

GOAL = 100  # milliseconds
SETUP = """
import backproplab as bp, numpy as np
from backproplab.explorers.wide.widget import WideExplorer
net, rng = bp.Network([784, 128, 10], ["relu", "softmax"], "cross_entropy", l2=1e-3, seed=0), np.random.default_rng(0)
e = WideExplorer(net, rng.random((64, 784)), rng.integers(0, 10, 64))
e.set(wrt="W1_2_3", example=5, rate=0.01)
e
"""
MOVES = {  # title -> (control, keys)
    "example": ('input[type="range"]', ("ArrowLeft", "ArrowRight")),
    "update": ('button:text-is("Update")', ("Enter",)),
}


def main():
    with opened((SETUP,)) as page:
        page.wait_for_function("document.querySelector('.bp-sumtitle')?.textContent")
        found = {title: moves(page, 0, control, ".bp-layers", keys) for title, (control, keys) in MOVES.items()}
    report(found)
    for title, times in found.items():
        tail = statistics.quantiles(times, n=20)[-1]
        print(f"{title}: p95 {tail:.0f} ms, goal {GOAL}: {'reached' if tail < GOAL else 'missed'}")


if __name__ == "__main__":
    main()
