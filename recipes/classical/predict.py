# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.2", "pandas>=2.3", "pillow>=11", "pyarrow>=20", "scikit-learn>=1.7", "skops>=0.13"]
# ///
"""Predict with a model that train.py saved: `predict.py --model DIR --inputs FILE --out FILE`.

FILE is a parquet table with a column `id`; the target, if it is there, is not looked at. Writes
`id,prediction[,score_<class>…]`, the scores being probabilities.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from contract import BadInput, read_rows, write_predictions
from saving import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the script; 2 after a message about a model or inputs that cannot be used."""
    parser = argparse.ArgumentParser(description="Predict with a model that train.py saved.")
    parser.add_argument("--model", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--inputs", type=Path, required=True, help="parquet file with a column id")
    parser.add_argument("--out", type=Path, required=True, help="csv file to write")
    given = parser.parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = load(given.model)
            rows = read_rows(given.inputs, model.schema, labelled=False)
            labels, shares = model.predict(rows)
            classes = model.schema.classes if shares is not None else ()
            write_predictions(given.out, rows.ids, labels, shares, classes)
    except BadInput as error:
        print(f"predict.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
