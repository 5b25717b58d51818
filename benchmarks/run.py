"""Run the benchmarks and write RESULTS.md, results.json and cost.png beside this file.

    python benchmarks/run.py                       # all but those that are ASKED for; best while nobody else works
    python benchmarks/run.py --only peers model    # groups, or parts by name; the other tables stay as they are
    python benchmarks/run.py --quick               # a smoke test in a minute or two, into benchmarks/.work
    python benchmarks/run.py --render              # nothing but RESULTS.md, from results.json

The environments of the peers are made when first needed, from peers/requirements, in benchmarks/peers/.envs.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE / "peers")]

import compare  # noqa: E402
import model  # noqa: E402
import report  # noqa: E402

PEERS = {name: getattr(compare, name) for name in ("cascades", "agreement", "days", "timers")}
MODEL = {
    name: getattr(model, name)
    for name in ("start_up", "building", "by_users", "by_friends", "side_by_side", "recording", "two_threads")
    + ("million", "profile", "everything", "compare_default")
}
ASKED = {
    name: getattr(model, name) for name in ("compare_large", "ten_million", "sweep")
}  # long, or in need of much memory
PARTS = PEERS | MODEL | ASKED
GROUPS = {"peers": PEERS, "model": MODEL, "population": {"days": 0}, "all": PARTS}


def main():
    """Read the command line, run the parts, write what came of them."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument(
        "--only", nargs="+", choices=[*GROUPS, *PARTS], metavar="PART", help=", ".join([*GROUPS, *PARTS])
    )
    command.add_argument("--quick", action="store_true", help="tiny sizes, written to .work")
    command.add_argument("--most", type=int, default=compare.MOST, metavar="N", help="leave out what has more people")
    command.add_argument("--render", action="store_true", help="run nothing")
    asked = command.parse_args()
    compare.MOST = model.MOST = asked.most
    place = compare.WORK if asked.quick else HERE
    place.mkdir(exist_ok=True)
    more = " --quick" * asked.quick + f" --most {asked.most}" * (asked.most < 1_000_000)
    kept = place / "results.json"
    wanted = [part for name in asked.only or ("model", "peers") for part in GROUPS.get(name, [name])]
    for part in [] if asked.render else dict.fromkeys(wanted):
        print(f"{part} ...", file=sys.stderr)
        load, begin = os.getloadavg()[0], perf_counter()
        rows = PARTS[part](asked.quick)
        results = _read(kept)  # anew: somebody may have run another part meanwhile
        results[part] = {
            "rows": rows,
            "date": datetime.now(UTC).date().isoformat(),
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "seconds": round(perf_counter() - begin),
            "command": f"python benchmarks/run.py --only {part}{more}",
            "machine": report.machine(),
        }
        kept.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    results = _read(kept)
    (place / "RESULTS.md").write_text(report.text(results), "utf-8")
    report.plot(results, place / "cost.png")
    print(f"wrote {place / 'RESULTS.md'}", file=sys.stderr)


def _read(path):
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


if __name__ == "__main__":
    main()
