"""Write the fixed data that R, PSPP and this package analyse: `python make_data.py`.

The files are committed; this says where they come from. Values are rounded, so that the text
holds them exactly.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def main() -> None:
    rng = np.random.default_rng(1518911)
    n = 41
    group = np.repeat(["A", "B"], [23, 18])
    first = group == "A"
    x = rng.normal(0.07, 0.02, n) + 0.012 * first * rng.uniform(0.5, 1.5, n)
    right = x + rng.normal(0.004, 0.012, n)
    skewed = np.round(np.exp(rng.normal(0, 0.9, n) + 0.4 * first), 1)  # with ties
    frame = pd.DataFrame({"group": group, "x": x.round(4), "right": right.round(4)})
    frame["skewed"] = skewed
    frame["common"] = (rng.random(n) < np.where(first, 0.6, 0.3)).astype(int)
    frame["rare"] = (rng.random(n) < np.where(first, 0.2, 0.05)).astype(int)
    frame["age"] = rng.integers(45, 88, n)
    frame["score"] = rng.integers(0, 9, n).astype(float)
    frame["later"] = np.maximum(frame["score"] - rng.integers(0, 4, n), 0)
    frame.loc[[3, 11], "score"] = np.nan
    frame.loc[[3, 7, 25, 30], "later"] = np.nan
    frame["outcome"] = (0.3 * x / 0.02 + 0.4 * frame["common"] + rng.normal(0, 1, n)).round(3)
    frame.to_csv(HERE / "data.tsv", sep="\t", index=False, na_rep="NA")
    truth = rng.normal(size=(17, 1))
    ratings = truth + 0.5 * rng.normal(size=(17, 3)) + [0.0, 0.3, -0.2]
    table = pd.DataFrame(ratings.round(3), columns=["r1", "r2", "r3"])
    table.to_csv(HERE / "ratings.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
