"""`python -m benchmarks [deciding serving standards pages ...]`: every figure with its reference."""

import argparse

from benchmarks import (
    activity,
    deciding,
    freshness,
    holding,
    pages,
    serving,
    simulating,
    spreading,
    standards,
    storing,
)
from benchmarks.report import as_json, show
from benchmarks.world import world

_MEASURES = {
    "deciding": deciding.measure,
    "serving": serving.measure,
    "standards": standards.measure,
    "activity": activity.measure,
    "holding": holding.measure,
    "storing": storing.measure,
    "freshness": freshness.measure,
    "spreading": spreading.measure,
    "simulating": simulating.measure,
    "pages": pages.measure,
}


def main() -> None:
    """Run the selected measures, by default all. Takes some minutes."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("measures", nargs="*", choices=[[], *_MEASURES], metavar="MEASURE")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that take turns")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    arguments = parser.parse_args()
    with world() as bench_world:
        figures = [
            figure
            for name in arguments.measures or _MEASURES
            for figure in _MEASURES[name](bench_world, arguments.rounds)
        ]
    if arguments.json:
        print(as_json(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
