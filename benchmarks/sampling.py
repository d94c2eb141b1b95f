"""What a picture a second costs: this project's ways of reading a film beside what others do.

    python -m benchmarks.sampling data/videos/big_buck_bunny.mp4 --rounds 5 --peers ~/peers

All give RGB pictures of one size, the long side 448 pixels. Measured are wall and CPU seconds of a process with all its threads
and all it starts, imports not counted, as ratios to OpenCV reading every frame in the same round; median and range of all rounds.
Peers whose packages are not there (benchmarks/peers.txt, `--peers`) are left out, and named.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.rounds import in_rounds, ratio_rows
from benchmarks.sampling_way import WAYS

BENCHMARKS = Path(__file__).parent
HEAD = ["film", "way", "pictures", "wall s", "times as fast", "CPU s", "times less CPU"]


def cost(way: str, film: Path, peers: Path | None) -> dict | None:
    """What one way cost; None where its packages are not there."""
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "PEERS": str(peers or "")}
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "sampling_way.py"), way, str(film)], capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip
    if done.returncode:
        print(f"{way}: left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def table(films: list[Path], n_rounds: int, peers: Path | None) -> list[list[str]]:
    """The rows of the table, the head not among them."""
    rows = []
    for film in films:
        found = in_rounds({way: lambda way=way, film=film: cost(way, film, peers) for way in WAYS}, n_rounds)
        for way, cells in ratio_rows(found, ("wall_s", "cpu_s")).items():
            rows.append([film.stem, way, str(found[0][way]["n_pictures"]), *cells])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where the packages of benchmarks/peers.txt lie")
    arguments = parser.parse_args()
    for cells in (HEAD, ["---"] * len(HEAD), *table(arguments.films, arguments.rounds, arguments.peers)):
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
