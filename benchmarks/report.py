"""RESULTS.md and cost.png from results.json: every budget with what was measured, and a table for each part."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import yaml

TEXTS = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text("utf-8"))
SHOWN = {
    "processor": "{:.2f} s",
    "wall": "{:.2f} s",
    "a run": "{:.2f} s",
    "busy": "{:.0%}",
    "rate": "{:,.0f}",
    "wall rate": "{:,.0f}",
    "bytes": "{:,.0f}",
}
SHOWN |= {"share": "{:.1%}", "per call": "{:.1e} s", "calls": "{:,}", "nodes": "{:,}"}
SHOWN |= {"CyNetDiff": "{:,.1f}", "ours": "{:,.1f}", "standard error": "{:.1f}", "z": "{:+.2f}"}
HEADS = {"rate": "per second of processor", "wall rate": "per second of the wall"}


def machine():
    """What it ran on."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text("utf-8").splitlines() if cpu.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba", "pyarrow"))
    return f"{os.cpu_count()} x {model}, {platform.system()}, Python {platform.python_version()}, {packages}"


def text(results):
    """The whole page."""
    quick = any("--quick" in made["command"] for made in results.values())
    found = [] if quick else budgets(results)
    lines = ["# Benchmarks", "", TEXTS["intro"]]
    lines += ["## Budgets", "", *table(("budget", "measured", ""), found), ""] if found else []
    for said, _, met in found:
        if met == "missed":
            why = next((why for key, why in TEXTS["reasons"].items() if said.startswith(key)), None)
            lines.append(f"- *{said}* is missed: {why or '`wxsim run --profile` shows where the time goes'}.")
    for part, about in TEXTS["parts"].items():
        if part in results:
            made = results[part]
            lines += ["", f"## {about['title']}", "", about.get("note", "")]
            lines += [*FORMS.get(part, costs)(made["rows"]), ""]
            lines += [
                f"`{made['command']}`, {made['date']}, load {made['load'][0]} to {made['load'][1]}; {made['machine']}."
            ]
    return "\n".join(lines) + "\n"


def table(head, rows):
    """Lines of a Markdown table."""
    rows = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def budgets(results):
    """Each budget that was measured: what it is, what was found, met or missed."""
    out = []

    def find(part, /, **wanted):
        rows = [row for row in results.get(part, {}).get("rows", []) if row]
        return [row for row in rows if wanted.items() <= {**row.get("job", {}), **row}.items()]

    def budget(said, measured, met):
        out.append((said, measured, "met" if met else "missed"))

    def seconds(part, said, most, **wanted):
        for row in find(part, **wanted):
            budget(said, f"{row['wall']:.2f} s on the wall, {row['processor']:.2f} s of processor", row["wall"] <= most)

    for part, made in results.items():
        if lost := sum(row is None for row in made["rows"]):
            budget(f"{part}: every run ends", f"{lost} of {len(made['rows'])} did not", False)

    for ties, plain, fast in (("one", 6, 12), ("factored", 3, 6), ("free", 3, 6)):
        for row in find("cascades", peer="cynetdiff", n=1_000_000, ties=ties):
            ahead = row["seconds"] / row["numpy"], row["seconds"] / row["fast"]
            said = f"cascade at 1M, {ties} p: ahead of CyNetDiff by {plain}x (numpy) and {fast}x (fast)"
            budget(said, f"{ahead[0]:.1f}x and {ahead[1]:.1f}x", ahead[0] >= plain and ahead[1] >= fast)
    if scores := [abs(row["z"]) for row in find("agreement")]:
        said = "cascades agree with CyNetDiff within two standard errors"
        budget(
            said, f"{sum(z <= 2 for z in scores)} of {len(scores)} means, largest {max(scores):.1f}", max(scores) <= 2
        )
    for row in find("building", part="ties", fast=True)[:1]:
        rates = [f"{row[name] / 1e6:.1f} M" for name in ("wall rate", "rate")]
        met = row["wall rate"] >= 9e6
        budget("native generator ≥ 9 M edges/s", f"{rates[0]}/s on the wall, {rates[1]} per second of processor", met)
        budget("native generator ≤ 50 bytes an edge at peak", f"{row['bytes']:.0f}", row["bytes"] <= 50)
    for row in find("building", part="all", users=10_000_000):
        said = "10M users with mean degree 20 build in ≤ 30 s"
        budget(said, f"{row['wall']:.1f} s on the wall, {row['processor']:.1f} s of processor", row["wall"] <= 30)
    seconds("million", "1M users × 90 days ≤ 30 s with fast on two cores", 30, fast=True)
    seconds("million", "1M users × 90 days ≤ 180 s without fast", 180, fast=False)
    for row in find("ten_million", users=10_000_000):
        held = row["bytes"] * row["users"]
        budget("10M users × 30 days within 16 GiB", f"{held / 2**30:.1f} GiB, {row['wall']:.0f} s", held <= 2**34)
    for part in ("by_users", "ten_million"):
        rate = {row["users"]: row["rate"] for row in find(part, fast=True)}
        if len(rate) > 1:
            spread = max(rate.values()) / min(rate.values())
            said = f"cost per user-day within 1.3x from 10^4 (worlds stacked) to {max(rate):,}"
            budget(said, f"{spread:.2f}x, dearest at {min(rate, key=rate.get):,}", spread <= 1.3)
    if large := [row for row in find("by_users", fast=True) + find("ten_million") if row["users"] >= 1_000_000]:
        held = ", ".join(f"{row['bytes']:.0f} at {row['users']:,}" for row in large)
        budget("≤ 350 bytes per user all in", held, max(row["bytes"] for row in large) <= 350)
    if side := find("side_by_side"):
        beside, alone = (
            [row["processor"] / row["worlds"] for row in side if (row["worlds"] > 1) is many] for many in (True, False)
        )
        ahead = sum(alone) / len(alone) / beside[0]
        budget("16 worlds side by side cost less than one by one", f"{ahead:.1f}x less", ahead > 1)
    for none, orders in zip(find("recording", record="none"), find("recording", record="orders"), strict=True):
        extra = orders["processor"] / none["processor"] - 1
        budget("recording orders, gifts and shares costs < 15 %", f"{extra:.1%}", extra < 0.15)
    seconds("compare_default", "`wxsim compare triangle` ≤ 20 s on two cores", 20)
    seconds("compare_large", "20,000 people × 60 days × 4 strategies × 16 seeds ≤ 60 s", 60)
    for row in find("sweep"):
        said = f"a sweep of {row['runs']:,} runs of {row['users']:,} people keeps all processors > 85 % busy"
        budget(said, f"{row['busy']:.0%}", row["busy"] > 0.85)
    for row in find("start_up"):
        budget(
            "`wxsim --help` ≤ 0.5 s",
            f"{row['processor']:.2f} s, {row['wall']:.2f} s on the wall",
            row["processor"] <= 0.5,
        )
    return out


def contests(unit, scale):
    """A form for tables of peers."""
    head = (
        "peer",
        "job",
        unit,
        "ours, numpy",
        "ours, fast",
        "peer / numpy",
        "peer / fast",
        "counted (ours)",
        "z",
        "bytes (ours)",
    )

    def form(rows):
        yield from table(head, map(line, rows))
        yield ""
        same = all(row["exact"] for row in rows)
        yield f"Ours counted {'the same, repeat for repeat,' if same else 'NOT the same'} with numpy and with numba."

    def line(row):
        job = {key: value for key, value in row["job"].items() if key not in ("p", "seeds")}
        size = job.get("users")
        return (
            f"{row['peer'].replace('_', ' ')} {row['version']}".strip(),
            ", ".join(f"{value:,} {key}" if isinstance(value, int) else value for key, value in job.items()),
            *(_short(row[way] * scale) for way in ("seconds", "numpy", "fast")),
            *(f"{row['seconds'] / row[way]:.3g}" for way in ("numpy", "fast")),
            *(
                ("–", "–")
                if row["z"] is None
                else (f"{row['mean']:,.0f} ({row['ours mean']:,.0f})", f"{row['z']:+.1f}")
            ),
            f"{row['bytes'] / size:,.0f} ({row['ours bytes'] / size:,.0f})" if size else "",
        )

    return form


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def costs(rows):
    """The form of all other tables; a run whose process died is no row."""
    if lost := sum(row is None for row in rows):
        return [*costs([row for row in rows if row]), "", f"{lost} of {len(rows)} runs did not end."]
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[SHOWN.get(name, "{}").format(row[name]) if name in row else "" for name in names] for row in rows]
    return table([HEADS.get(name, name) for name in names], cells)


FORMS = {"cascades": contests("ms", 1e3), "days": contests("ns", 1e9), "timers": contests("ns", 1e9)}


def plot(results, path):
    """Cost per user-day against users and against friends."""
    from matplotlib.figure import Figure

    rows = [row for part in ("by_users", "ten_million") for row in results.get(part, {"rows": []})["rows"] if row]
    figure = Figure((8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for fast, style, name in ((True, "o-", "fast"), (False, "s--", "numpy")):
        some = [row for row in rows if row["fast"] is fast]
        left.plot([row["users"] for row in some], [1e6 / row["rate"] for row in some], style, label=name)
    some = [row for row in results.get("by_friends", {"rows": []})["rows"] if row]
    right.plot([row["degree"] for row in some], [1e6 / row["rate"] for row in some], "o-")
    for axes, name in ((left, "users"), (right, "friends per user")):
        axes.set(xlabel=name, ylabel="µs of processor per user and day", ylim=(0, None))
    left.set_xscale("log")
    left.legend()
    figure.savefig(path, dpi=110)
