"""The exercises: solved copies of the notebooks say "Right.", unsolved ones wait, and wrong answers hear why."""

import json
import pathlib
import re

import nbformat
import numpy as np
import pytest
import sympy as sp
import textbook
from nbclient import NotebookClient
from test_notebooks import needs_pytorch

import backproplab as bp
from backproplab.exercises.checkers import check_formula
from backproplab.exercises.table import EXERCISES

NOTEBOOKS = sorted((pathlib.Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
ASKING = re.compile(r'^bp\.exercise\("([\d.]+)"\)\.check\(.*\)$', re.M)


def asked(notebook):
    """(cell, the exercise's number) for every cell that checks an answer."""
    for cell in notebook.cells:
        found = cell.cell_type == "code" and ASKING.search(cell.source)
        if found:
            yield cell, found[1]


def said(cell):
    return cell.outputs[0]["data"]["text/plain"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path",
    [path for path in NOTEBOOKS if any(name.startswith(path.name[:2]) for name in EXERCISES)],
    ids=lambda path: path.stem,
)
def test_a_notebook_with_the_solutions_filled_in_is_right(path):
    if needs_pytorch(path):
        pytest.importorskip("torch", reason=f"{path.stem} needs PyTorch: pip install torch")
    notebook = nbformat.read(path, as_version=4)
    cells = list(asked(notebook))
    assert [name for _, name in cells] == [name for name in EXERCISES if name.startswith(path.name[:2])] and 3 <= len(
        cells
    ) <= 5
    for cell, name in cells:
        assert said(cell).startswith("Waiting for you") and "..." in cell.source
        cell.source = EXERCISES[name].lines + "\n\n" + ASKING.search(cell.source)[0]
    place = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=False, resources=place).execute()
    assert {name: said(cell) for cell, name in cells} == {name: "Right." for _, name in cells}


def test_the_notebooks_hold_no_answers():
    for path in NOTEBOOKS:
        text = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
        for name, row in EXERCISES.items():
            assert row.lines not in text and row.hint not in text, (path.name, name)


def printed(W, D):
    np.sum(D @ W)


def untouched(W, D): ...


def doubled(W, D):
    D *= 2
    return D @ W


@pytest.mark.parametrize("name, answer, verdict, text", [
    ("01.1", ..., "waiting", "Waiting for you"), ("03.1", (..., ...), "waiting", "Waiting"), ("01.3", lambda x, y, w: ..., "waiting", "Waiting"),
    ("01.1", "x", "wrong", "as a set"), ("01.1", {"w"}, "wrong", "Not yet"), ("01.1", ["y", "x"], "right", "Right"),
    ("03.1", (1, 2), "wrong", "number 2"), ("03.1", 1, "wrong", "Give 2 answers"), ("03.1", (1.0, 0.0), "right", "Right"),
    ("05.2", 9.5367431640625e-07, "right", "Right"), ("05.2", 9.54e-07, "right", "Right"), ("05.2", 9.4e-07, "wrong", "Not yet"), ("05.2", "x", "wrong", "Not yet"),
    ("03.2", "4*(a - y)**3", "right", "Right"), ("03.2", "-4*(y-a)*(y-a)*(y-a)", "right", "Right"),
    ("03.2", 4 * (sp.Symbol("a") - sp.Symbol("y")) ** 3, "right", "Right"), ("03.2", "4*(y - a)**3", "wrong", "This is dL/dy"),
    ("03.2", 0.1, "wrong", "as a formula"), ("03.2", "4*(q - y)**3", "wrong", "uses q, but the graph has"), ("03.2", "4*(a -", "wrong", "cannot be read"),
    ("03.2", "__import__('os').system('true')", "wrong", "cannot be read"), ("03.2", [1], "wrong", "found list"),
    ("01.2", "3", "wrong", "right value at x = 2, y = 3, but not the same formula"), ("01.2", 3, "wrong", "right value at x = 2, y = 3, but one number is no formula"),
    ("01.2", "x", "wrong", "not every use has arrived"), ("03.4", "(a - y)*a*(1 - a)*x", "wrong", "not every use has arrived"),
    ("04.1", "(a2 - y)*a2*(1 - a2)*w2*x", "wrong", "You left out da1/dz1"), ("04.1", "(a2 - y)*a2*(1 - a2)*(1 - a1**2)*x", "wrong", "dz2/da1 is left out"),
    ("04.1", "(a2 - y)*sigmoid(z2)*(1 - a2)*w2*(1 - tanh(z1)**2)*x", "right", "Right"),
    ("03.3", 3, "wrong", "write def"), ("03.3", lambda **numbers: {"w1": 1.0}, "wrong", "w2, b is missing"),
    ("03.3", lambda x1, x2, w1, w2, b, y: {"w1": 0.3, "w2": 0.1, "b": 0.2}, "wrong", "No single mistake"),
    ("03.3", lambda x1: {}, "wrong", "name its arguments x1, x2, w1, w2, b, y"),
    ("04.2", lambda p, X, Y: {name: 0 * value for name, value in p.items()}, "wrong", "No single mistake"),
    ("04.2", lambda p, X, Y: {"W1": p["W1"]}, "wrong", "b1, W2, b2 is missing"),
    ("06.2", lambda W, D: D @ W, "right", "Right"), ("06.2", lambda W, D: (D @ W).T, "wrong", "has shape (3, 5), expected (5, 3)"),
    ("09.1", ("z1", "W1"), "right", "Right"), ("09.1", ("Z1", "b1"), "wrong", "number 2"),
    ("09.3", lambda p, X, Y: bp.Network.from_parameters(p, ["sigmoid", "identity"]).gradient(X, Y), "wrong", "nothing is broken yet"),
    ("06.2", lambda W, D: D @ W + 5j, "wrong", "found dtype complex128"), ("03.2", 10**400, "wrong", "found int"), ("01.1", [["x"]], "wrong", "Not yet"),
    ("06.2", lambda W, D: -(D @ W), "wrong", "the sign is the opposite one"), ("06.2", lambda W, D: D @ W / 2, "wrong", "0.5 times the right one"),
    ("06.2", lambda W, D: (D @ W).astype("f4"), "right", "Right"), ("06.2", lambda W, D: (D @ W).astype("f4") * np.float32(1.001), "wrong", "times"),
    ("06.2", printed, "wrong", "did it forget its return"), ("06.2", untouched, "waiting", "Waiting"),
    ("06.2", doubled, "wrong", "your function changes D"), ("06.2", lambda W, D: D @ W.T @ W.T, "wrong", "in `"),
    *(("03.2", text, "wrong", "but not the same formula: at") for text in ("-4*abs(a - y)**3", "-4*L**0.75")),
    ("02.1", "cos(x)/abs(x) - sin(x)/x**2", "wrong", "but not the same formula: at"),
    ("07.2", "sigmoid(z) - (y + 1)/2", "right", "Right"), ("07.2", "-sigmoid(-m)/y", "right", "Right"), ("07.2", "sigmoid(-m)", "wrong", "at y = 1"),
    ("03.2", "4*(a - y)**3*a*(1 - a)", "wrong", "This is dL/dz; dL/da is asked for"), ("03.2", "2*(a - y)**3", "wrong", "half of the right one. Look at the term dL/da: is"),
    ("03.1", ("1", "0"), "right", "Right"), ("10.2", "5*6", "right", "Right"), ("04.3", np.array(8), "right", "Right"), ("04.3", "8 + x", "wrong", "Not yet"),
    ("08.3", (0.98, 1.02), "wrong", "6 digits are asked for"), ("08.1", ("1/5", "4/5"), "right", "Right"), ("08.1", (0.3, 0.8), "wrong", "number 1"),
    ("01.3", lambda x, y, w: [1], "wrong", "Return a dict with the keys x, y, w; found list"), ("01.3", lambda x, y, w: {"dx": 1}, "wrong", "whose keys are dx"),
    ("02.1", "log(x)", "wrong", "the formula has no finite value"), ("04.1", "answer + 1", "wrong", "uses answer, but the graph has"), ("01.1", {...}, "waiting", "Waiting"),
    ("01.1", {"x": 1, "y": 2}, "wrong", "as a set"), ("03.2", "4(a - y)**3", "wrong", "between factors write *"), ("03.2", "4*a(1 - a)", "wrong", "for a product write a*(...)"), ("03.2", "−a", "wrong", "for minus write -"),
    ("04.1", "(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x", "wrong", "the slope of another activation"), ("04.1", "(a2 - y)*a2*(1 - a2)*w2*(1 - a1**2)**2*x", "wrong", "multiplied in twice"),
    ("12.1", (0.25, 0.25**9), "wrong", "number 2"), ("12.1", ("1/4", "1/65536"), "right", "Right"), ("12.2", (0.25, 1), "wrong", "number 1"),
    ("12.2", ("sqrt(1/8)", 1), "right", "Right"), ("12.4", (24, 1e-12, 1.1**12), "wrong", "number 1"), ("12.4", (4096, 1e-12, 3.13843), "right", "Right"),
    ("13.1", (1.5, 0.8333333), "wrong", "number 2"), ("13.1", (1.5, "11/18"), "right", "Right"), ("13.2", (7840, 9375), "wrong", "number 1, 2"),
    ("13.3", (-2e-5, 3e-3, -2e-5, 3e-3), "wrong", "number 3, 4"), ("13.3", (..., ..., ..., ...), "waiting", "Waiting"),
    ("13.4", lambda P, Y: (P.argmax(axis=1) == Y).mean(), "wrong", "Not yet"), ("13.4", lambda P, Y: np.mean([P[i, Y[i]] >= np.sort(P[i])[-2] for i in range(len(Y))]), "right", "Right"),
    ("15.1", 1.6562, "wrong", "Not yet"), ("15.1", 2 - 0.18 - 0.3438, "right", "Right"), ("15.2", (20, 35), "wrong", "number 1, 2"), ("15.2", (35, 5), "wrong", "number 2"),
    ("15.3", lambda X, W, V: X @ V.T, "wrong", "the slope of tanh is still to come"), ("15.3", lambda X, W, V: V @ X.T, "wrong", "shape (4, 5), expected (5, 4)"),
    ("15.4", (10 / 24, 10 / 24, 4 / 24), "wrong", "number 1, 2, 3"), ("15.4", ("30/24", "30/24", "1/2"), "right", "Right"),
    ("04.1", "(a2 - y)*a2*(1 - a2)*w2*(1 - z1**2)*x", "wrong", "is given z1"), ("04.1", "(a2 - y)*a2*(1 - a2)*w2*(1 - tanh(a1)**2)*x", "wrong", "taken at a1"),
])  # fmt: skip
def test_answers(name, answer, verdict, text):
    reply = bp.exercise(name).check(answer)
    assert reply.verdict == verdict and text in repr(reply), reply
    assert "check_gradient" not in repr(reply) and "diagnose" not in repr(reply), "the learner called none of them"


def test_what_cannot_be_told_is_not_called_right():
    reply = check_formula("1/2", lines=dict(L="relu(z)"), wrt="z", at=dict(z=0))
    assert reply.verdict == "wrong" and "right value" not in repr(reply)


def test_the_caret_of_an_unreadable_formula_stands_in_its_place_on_the_page():
    reply = bp.exercise("03.2").check("4*<b>")
    assert reply._repr_html_().startswith("<pre>") and "&lt;b&gt;\n" in reply._repr_html_()


@pytest.mark.parametrize("mistake", ["output-slope-missing", "hidden-slope-missing", "sign"])
def test_a_network_exercise_names_the_mistake(mistake):
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], reduction="sum")
    reply = bp.exercise("04.2").check(lambda p, X, Y: textbook.gradient(net, p, X, Y, mistake=mistake))
    assert reply.verdict == "wrong" and repr(reply).startswith(mistake + ": ")


def test_hints_and_solutions_are_one_call_away():
    exercise = bp.exercise("03.2")
    assert "inner" in repr(exercise.hint()) and repr(exercise.solution()).startswith("dL_da = ")
    assert ".hint()" in repr(exercise) and "dL_da" not in repr(exercise)
    with pytest.raises(ValueError, match=r"there is no '99.9'; the exercises are 01.1, 01.2"):
        bp.exercise("99.9")


def test_replies_are_escaped():
    reply = bp.exercise("03.2").check("<script>alert(1)</script>")
    assert "<script>" not in reply._repr_html_()


def test_checking_changes_nothing_of_the_learners():
    given = np.array([0.2, -0.7, 0.5])
    assert bp.exercise("07.1").check(given).verdict == "right" and np.array_equal(given, [0.2, -0.7, 0.5])


def through_time(change):
    """The gradient of exercise 14.3 with one slip."""

    def gradient(w, u, h0, x1, x2, x3, y1, y2, y3):
        x, y, h = (x1, x2, x3), (y1, y2, y3), [h0]
        for t in range(3):
            h.append(np.tanh(w * h[t] + u * x[t]))
        dw = du = dh = 0.0
        for t in (2, 1, 0):
            error = 0.0 if change == "last loss only" and t < 2 else h[t + 1] - y[t]
            dh = error if change == "no way back" else dh + error
            dz = dh * (1 - h[t + 1] ** 2)
            dw = dz * h[t] + (0.0 if change in ("w overwritten", "both overwritten") else dw)
            du = dz * x[t] + (0.0 if change == "both overwritten" else du)
            dh = dz * w
        return {"w": dw, "u": du}

    return gradient


def kernel(change):
    def to_kernel(x, delta):
        uses = [delta[i] * x[i : len(x) - len(delta) + 1 + i] for i in range(len(delta))]
        return {"": sum(uses), "last": uses[-1], "mean": sum(uses) / len(uses), "sign": -sum(uses)}[change]

    return to_kernel


def signal(change):
    def to_signal(w, delta):
        found = np.zeros(len(delta) + len(w) - 1)
        for i in range(len(delta)):
            if change == "overwritten":
                found[i : i + len(w)] = delta[i] * w
            else:
                found[i : i + len(w)] += delta[i] * (w[::-1] if change == "not turned" else w)
        return found[len(w) - 1 : len(delta)] if change == "cropped" else found

    return to_signal


def momentum(change):
    def step(w, v, g, rate, mu):
        new = {"mean": mu * v + (1 - mu) * g, "rate": mu * v - rate * g}.get(change, mu * v + g)
        return w + new if change == "rate" else w - rate * (v if change == "old" else new), new

    return step


def adam(change):
    def step(w, m, s, g, t):
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
        a, b = (m, s) if change == "none" else (m / (1 - 0.9**t), s / (1 - 0.999**t))
        w = w - 0.001 * a / (b**0.5 + 1e-8)
        return (w, a, b) if change == "kept" else (w, m, s)

    return step


def back_to_Z(change):
    def back(dN, dvar, C, var):
        Z = C + 1j * 0  # an oracle without a chain: Z is C, moved a little into the imaginary, entry by entry
        found = np.zeros_like(C)
        for place in np.ndindex(C.shape):
            Z[place] += 1e-30j
            mu = Z.mean(axis=0) if change not in ("mean", "both") else C.mean(axis=0)
            spread = ((Z - mu) ** 2).mean(axis=0) * (change not in ("variance", "both"))
            found[place] = ((dN * (Z - mu) / np.sqrt(var + 1e-5)).sum() + (dvar * spread).sum()).imag / 1e-30
            Z[place] = C[place]
        return found

    return back


def in_one_line(dN, dvar, C, var):
    """The short form of the notebook, which needs no dvar."""
    s = np.sqrt(var + 1e-5)
    return (dN - dN.mean(axis=0) - C / s * (dN * C / s).mean(axis=0)) / s


def normalised(change):
    def gradient(p, X, Y):
        net = bp.Network.from_parameters(p, ["tanh", "sigmoid"])
        trace = net.forward(X, Y)
        g = bp.backpropagate(net.terms(trace), "L")
        scale, dS, N = p["gamma1"] / np.sqrt(trace["var1"] + 1e-5), g["S1"], trace["N1"]
        D = scale * (dS - (change != "mean") * dS.mean(axis=0) - (change != "variance") * N * (dS * N).mean(axis=0))
        return {name: g[name] for name in p} | {"W1": D.T @ X}

    return gradient


@pytest.mark.parametrize("name, answer, says", [
    ("12.3", back_to_Z(""), "Right."), ("12.3", in_one_line, "Right."), ("12.3", back_to_Z("variance"), "the path over var is missing"), ("12.3", back_to_Z("mean"), "the path over mu is missing"),
    ("12.3", back_to_Z("both"), "the path over var is missing"), ("12.3", lambda dN, dvar, C, var: -back_to_Z("")(dN, dvar, C, var), "the sign is the opposite one"),
    ("12.3", lambda dN, dvar, C, var: (lambda dC: dC - dC.mean(axis=0))(dN / np.sqrt(var + 1e-5) + dvar * C / len(C)), "with the term 2*C/n"),
    ("12.5", normalised(""), "Right."), ("12.5", normalised("mean"), "mean-constant"), ("12.5", normalised("variance"), "variance-constant"),
    ("11.1", momentum(""), "Right."), ("11.1", momentum("mean"), "here they are added, mu v + g"), ("11.1", momentum("old"), "it goes along the new one"),
    ("11.1", momentum("rate"), "your v has the rate in it"), ("11.1", lambda w, v, g, rate, mu: (w, v), "Not yet."),
    ("11.2", adam(""), "Right."), ("11.2", adam("none"), "divide each by 1 - beta**t"), ("11.2", adam("kept"), "The new w is right; but return m and s as they are"),
    ("11.2", lambda w, m, s, g, t: (w, m, s), "Not yet."), ("13.2", (7950, 9380), "Not yet: look again at number 1."),
    ("14.1", kernel(""), "Right."), ("14.1", kernel("last"), "one use only has arrived"), ("14.1", kernel("mean"), "the mean over the places"), ("14.1", kernel("sign"), "the sign"),
    ("14.2", signal(""), "Right."), ("14.2", signal("not turned"), "the kernel is not turned round"), ("14.2", signal("overwritten"), "overwritten the earlier"), ("14.2", signal("cropped"), "has shape"),
    ("14.3", through_time(""), "Right."), *(("14.3", through_time(slip), "path-missing: ") for slip in ("w overwritten", "both overwritten", "no way back", "last loss only")),
    ("14.4", (5050, 5, 25), "Right."), ("14.4", (100, 5, 5), "look again at number 1, 3"),
])  # fmt: skip
def test_a_typical_slip_gets_its_own_reply(name, answer, says):
    assert says in bp.exercise(name).check(answer).text
