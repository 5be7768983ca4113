"""Near-optimal sets of the convex laboratory: chosen greedily, and made by descending on the set itself."""

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import OptionError
from limbeck.laws.laboratory import Laboratory, RidgeLaboratory
from limbeck.laws.law import Array

__all__ = ["bilevel", "herded"]


def herded(
    laboratory: Laboratory, size: int, *, weights: Array | None = None, first: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """(size,) indices, with repeats, whose mean gradient at w_q comes greedily nearest to that of the weighted data.

    Near is meant in H_q⁻¹, in which half the squared distance is the excess of the set's optimum, to first order. Every
    beginning of the answer is itself such a set. weights: q, full data by default.  first: indices to begin with.
    """
    q = laboratory.uniform if weights is None else weights
    w = laboratory.full(q)
    each = laboratory.gradients(w, laboratory.features, laboratory.targets)
    inner = each @ np.linalg.solve(laboratory.hessian(w, laboratory.features, q), each.T)
    own, aim, total = np.diagonal(inner), inner @ q, np.zeros(len(each))
    chosen: list[int] = []
    for number in range(1, size + 1):
        given = first is not None and number <= len(first)
        place = (
            int(first[number - 1])
            if given and first is not None
            else int((own - 2 * number * aim + 2 * total).argmin())
        )
        total = total + inner[place]
        chosen.append(place)
    return np.array(chosen, dtype=np.int64)


def bilevel(
    laboratory: RidgeLaboratory, index: NDArray[np.int64], *, weights: Array | None = None, steps: int = 200
) -> tuple[Array, Array]:
    """Features (m, d) and one-hot targets whose ridge optimum has the least risk on the weighted data.

    Begins with real examples and moves their features, each within its range over real data, by L-BFGS-B. With
    w = A⁻¹ΦᵀY/m, A = ΦᵀΦ/m + λ, G the gradient of the risk at w and P = A⁻¹G the gradient by Φ is
    ((Y − Φw)Pᵀ − ΦPwᵀ)/m. weights: q, full data by default.  Raises OptionError for fewer than one step.
    """
    from scipy.optimize import minimize

    if steps < 1:
        raise OptionError(f"{steps} steps move nothing: take 1 or more.")
    q = laboratory.uniform if weights is None else weights
    real, targets, ridge = laboratory.features, laboratory.targets[index], laboratory.ridge
    shape, count = (len(index), real.shape[1]), len(index)
    moment = (real * q[:, None]).T @ real + ridge * np.eye(shape[1])
    aim = (real * q[:, None]).T @ laboratory.targets

    def risk(flat: Array) -> tuple[float, Array]:
        features = flat.reshape(shape)
        inner = features.T @ features / count + ridge * np.eye(shape[1])
        w = np.linalg.solve(inner, features.T @ targets / count)
        slope = moment @ w - aim
        pull = np.linalg.solve(inner, slope)
        turn = ((targets - features @ w) @ pull.T - features @ pull @ w.T) / count
        return float((w * (moment @ w / 2 - aim)).sum()), turn.ravel()

    ends = np.repeat(np.stack([real.min(0), real.max(0)], -1)[None], count, 0).reshape(-1, 2)
    found = minimize(
        risk, real[index].ravel(), jac=True, method="L-BFGS-B", bounds=ends, options={"maxiter": steps, "ftol": 1e-15}
    )
    return np.asarray(found.x, dtype=np.float64).reshape(shape), targets
