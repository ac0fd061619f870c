"""Cases with the answers of SciPy, for cgbench/tests/analysis_statistics.rs.

Prints JSON. Where SciPy has no such function, its distributions and tests are put together in another way than cgbench does it:
intervals by inverting tests, permutations by going through all of them.
"""

import itertools
import json
import math
import platform
import sys

import numpy as np
import scipy
from scipy import stats
from scipy.optimize import brentq

SEED = 20240917
random = np.random.default_rng(SEED)


def sample(n, ties=False, shift=0.0):
    """Skewed values; with ties, small whole numbers."""
    if ties:
        return [float(x) for x in random.poisson(3 + shift, n)]
    return [round(float(x), 6) for x in random.lognormal(0.0, 1.0, n) + shift]


def mann_whitney():
    cases = []
    sizes = [(1, 1), (2, 3), (3, 3), (5, 5), (4, 9), (9, 4), (8, 8), (16, 16), (20, 30)]
    plans = [(n, m, False, "exact") for n, m in sizes]
    every = stats.PermutationMethod(n_resamples=math.inf)
    plans += [(n, m, True, every) for n, m in [(2, 2), (3, 5), (5, 5), (6, 4), (7, 7)]]
    plans += [(n, m, ties, "asymptotic") for n, m in [(33, 32), (50, 40), (10, 90)] for ties in (False, True)]
    for n, m, ties, method in plans:
        a, b = sample(n, ties), sample(m, ties, 0.5)
        ask = lambda alternative: stats.mannwhitneyu(b, a, alternative=alternative, method=method)
        cases.append({
            "a": a, "b": b, "exact": method != "asymptotic",
            "u": float(ask("greater").statistic),
            "p_two_sided": float(ask("two-sided").pvalue),
            "p_b_greater": float(ask("greater").pvalue),
        })
    return cases


def shift():
    """The interval holds the shifts that an exact two-sided Mann-Whitney test does not reject."""
    cases = []
    for (n, m), confidence in itertools.product([(3, 3), (4, 4), (5, 6), (8, 8), (7, 12), (16, 16)], [0.9, 0.95, 0.99]):
        a, b = sample(n), sample(m, shift=1.0)
        level = (1 - confidence) * (1 + 1e-12)  # 1 - 0.9 is a hair less than 0.1
        d = np.sort(np.subtract.outer(b, a).ravel())
        inside = [
            i for i in range(len(d) - 1)
            if stats.mannwhitneyu(np.array(b) - (d[i] + d[i + 1]) / 2, a, method="exact").pvalue > level
        ]
        # A test that rejects nothing, not even beyond the outermost difference, has no interval.
        none = 2 / math.comb(n + m, n) > level
        cases.append({
            "a": a, "b": b, "confidence": confidence, "shift": float(np.median(d)),
            "interval": None if none else [float(d[inside[0]]), float(d[inside[-1] + 1])],
        })
    return cases


def effect():
    cases = []
    for n, m, ties in [(3, 4, False), (8, 8, True), (16, 12, False)]:
        a, b = sample(n, ties), sample(m, ties, 0.5)
        cases.append({"a": a, "b": b, "delta": float(np.sign(np.subtract.outer(b, a)).mean())})
    return cases


def signed_rank():
    cases = []
    every = stats.PermutationMethod(n_resamples=math.inf)
    plans = [(n, False, "exact") for n in (1, 3, 5, 8, 12, 20, 40)]
    plans += [(n, True, every) for n in (4, 6, 9, 12)]
    plans += [(n, ties, "asymptotic") for n in (90, 120) for ties in (False, True)]
    for n, ties, method in plans:
        if ties:
            d = [float(x) for x in random.integers(-3, 5, n)]
        else:
            d = [round(float(x), 6) for x in random.standard_t(2, n) + 0.3]
        ask = lambda alternative: stats.wilcoxon(
            d, zero_method="pratt", correction=True, alternative=alternative, method=method)
        cases.append({
            "differences": d, "exact": method != "asymptotic",
            "w_plus": float(ask("greater").statistic),
            "p_two_sided": float(ask("two-sided").pvalue),
            "p_positive": float(ask("greater").pvalue),
        })
    return cases


def drift():
    """Kendall's tau against time. SciPy's normal approximation has no correction for continuity, and its exact one no ties:
    so the former is put together here, and the latter goes through all orders."""
    cases = []
    for n, ties in [(n, False) for n in (2, 3, 5, 8, 15, 30, 50, 60)] + [(n, True) for n in (4, 6, 7, 70)]:
        x = np.cumsum(random.integers(1, 4, n)).astype(float)
        y = np.array(sample(n, ties)) + (0.0 if ties else (0.03 * x).round(6))
        s = int(sum(np.sign(y[j] - y[i]) for i, j in itertools.combinations(range(n), 2)))
        if n > 50:
            of = lambda n: n * (n - 1) * (2 * n + 5)
            sd = math.sqrt((of(n) - sum(of(t) for t in np.unique(y, return_counts=True)[1])) / 18)
            two_sided, rising = min(1, 2 * stats.norm.sf((abs(s) - 1) / sd)), stats.norm.sf((s - 1) / sd)
        elif ties:
            score = lambda y: sum(np.sign(y[j] - y[i]) for i, j in itertools.combinations(range(n), 2))
            ask = lambda alternative: stats.permutation_test(
                (y,), score, permutation_type="pairings", alternative=alternative, n_resamples=math.inf)
            two_sided, rising = ask("two-sided").pvalue, ask("greater").pvalue
        else:
            ask = lambda alternative: stats.kendalltau(x, y, method="exact", alternative=alternative)
            two_sided, rising = ask("two-sided").pvalue, ask("greater").pvalue
        cases.append({
            "series": [[float(x), float(y)] for x, y in zip(x, y)], "exact": n <= 50, "s": s,
            "p_two_sided": float(two_sided), "p_rising": float(rising),
            "slope": float(stats.theilslopes(y, x).slope),
        })
    return cases


def one_column():
    """A family of a single column is an ordinary permutation test."""
    cases = []
    t = lambda new, base, axis=-1: stats.ttest_ind(new, base, equal_var=False, axis=axis).statistic
    size = lambda new, base, axis=-1: np.abs(t(new, base, axis))
    for n, m in [(2, 3), (4, 4), (6, 5), (8, 8)]:
        base, new = sample(n), sample(m, shift=0.8)
        ask = lambda statistic: stats.permutation_test(
            (new, base), statistic, vectorized=True, alternative="greater", n_resamples=math.inf).pvalue
        cases.append({
            "base": base, "new": new, "t": float(t(new, base)),
            "p_greater": float(ask(t)), "p_two_sided": float(ask(size)),
        })
    return cases


def family():
    """Westfall and Young's max-T with step-down over all choices of labels, t by SciPy, holes left out of each column."""
    cases = []
    for n, m, width, holes in [(4, 4, 3, False), (5, 4, 6, False), (5, 5, 8, True)]:
        shared = random.standard_t(3, (n + m, 1))
        cells = shared + random.standard_t(3, (n + m, width))
        cells[n:, 0] += 6
        if holes:
            cells[random.random(cells.shape) < 0.15] = np.nan
        cells = cells.round(6)
        margins = np.round(random.random(width) * 0.3, 3)
        moved = cells.copy()
        moved[n:] -= margins

        def statistics(base):
            chosen = np.isin(np.arange(n + m), base)
            t = stats.ttest_ind(moved[~chosen], moved[chosen], equal_var=False, nan_policy="omit").statistic
            few = (np.isfinite(moved[chosen]).sum(0) < 2) | (np.isfinite(moved[~chosen]).sum(0) < 2)
            return np.where(few, -np.inf, np.ma.filled(t, np.nan))

        every = np.array([statistics(base) for base in itertools.combinations(range(n + m), n)])
        for alternative in ["greater", "two_sided"]:
            all_t = every if alternative == "greater" else np.where(np.isinf(every), every, np.abs(every))
            observed = all_t[0]
            order = np.argsort(-observed)
            adjusted, bound = [None] * width, 0.0
            for place, column in enumerate(order):
                highest = all_t[:, order[place:]].max(axis=1)
                bound = max(bound, float((highest >= observed[column] - 1e-9).mean()))
                adjusted[column] = bound
            cases.append({
                "base": [[None if np.isnan(x) else x for x in row] for row in cells[:n].tolist()],
                "new": [[None if np.isnan(x) else x for x in row] for row in cells[n:].tolist()],
                "margins": margins.tolist(), "alternative": alternative,
                "t": every[0].tolist(),
                "p": [float((all_t[:, c] >= observed[c] - 1e-9).mean()) for c in range(width)],
                "p_adjusted": adjusted,
            })
    return cases


def quantiles():
    probabilities = [1e-6, 0.05 / 400, 0.05 / 40, 0.01, 0.025, 0.05, 0.2, 0.5, 0.8, 0.975, 1 - 1e-4]
    normal = [{"p": p, "x": float(stats.norm.ppf(p))} for p in probabilities]
    student = [
        {"freedom": f, "p": p, "x": float(stats.t.ppf(p, f))}
        for f in [1.0, 2.0, 4.0, 7.3, 14.0, 30.0, 118.6] for p in probabilities
    ]
    return {"normal": normal, "student": student}


def power():
    """By the non-central t distribution."""
    cases = []
    for n, m, a, b, hypotheses, wanted in [
        (3, 3, 1.0, 1.0, 1, 0.8), (5, 5, 2.0, 2.0, 40, 0.8), (8, 8, 1.0, 1.0, 1, 0.8), (8, 8, 1.0, 3.0, 40, 0.8),
        (16, 16, 0.1, 0.2, 40, 0.9), (6, 20, 5.0, 1.0, 10, 0.5), (60, 60, 1.0, 1.0, 100, 0.95), (4, 9, 0.0, 1.0, 3, 0.8),
    ]:
        error_a, error_b = a * a / n, b * b / m
        freedom = (error_a + error_b) ** 2 / (error_a**2 / (n - 1) + error_b**2 / (m - 1))
        critical = stats.t.isf(0.05 / hypotheses, freedom)
        delta = brentq(lambda d: stats.nct.sf(critical, freedom, d) - wanted, 0, 100, xtol=1e-12)
        cases.append({
            "base": {"sd": a, "blocks": n}, "new": {"sd": b, "blocks": m},
            "demand": {"alpha": 0.05, "hypotheses": hypotheses, "power": wanted},
            "shift": float(delta * math.sqrt(error_a + error_b)),
        })
    return cases


def change_point():
    """Pettitt's K from mid-ranks; p from every order."""
    cases = []
    for ties, at in [(False, 4), (True, 3), (False, 8)]:
        values = sample(at, ties) + sample(8 - at, ties, 2.0)
        ranks = stats.rankdata(values)
        score = lambda ranks: np.abs(2 * np.cumsum(ranks, axis=-1) - np.arange(1, 9) * 9)
        every = score(np.array(list(itertools.permutations(ranks)))).max(axis=1)
        here = score(ranks)
        cases.append({
            "values": values, "at": int(here.argmax()) + 1, "k": int(here.max()),
            "p": float((every >= here.max()).mean()),
        })
    return cases


cases = {
    "mann_whitney": mann_whitney(), "shift": shift(), "effect": effect(), "signed_rank": signed_rank(),
    "drift": drift(), "one_column": one_column(), "family": family(), "quantiles": quantiles(), "power": power(),
    "change_point": change_point(),
}
made_by = {
    "command": "python3 cgbench/tests/reference/with_scipy.py > cgbench/tests/reference/scipy.json",
    "python": platform.python_version(), "scipy": scipy.__version__, "numpy": np.__version__, "seed": SEED,
}
# One case a line, so that a change is seen where it is.
lines = [f'"made_by": {json.dumps(made_by)}']
for name, found in cases.items():
    if isinstance(found, dict):
        inner = ",\n".join(f'{json.dumps(key)}: {json.dumps(value)}' for key, value in found.items())
        lines.append(f'"{name}": {{\n{inner}\n}}')
    else:
        lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(case, allow_nan=False) for case in found) + "\n]")
sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")
