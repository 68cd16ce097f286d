"""A run of sections: each in its time, and each figure on disk as soon as it is measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.deadline import Deadline, TimeUp, enforced
from benchmarks.gpu.figures import Entry, Figure, sentence
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.records import read_record

Section = Callable[[Deadline], Iterator[Entry]]
SAME = ("device", "quick")  # what the runs that share a file must agree in
RUN = ("settings", "versions")  # kept beside each section: the next may be another version's
GRACE = 1.15  # of its time, after which a section is ended


@dataclass
class Session:
    """The record of a run and its file.

    Attributes:
        out: JSON file, written anew after every figure.
        record: what it holds.
    """

    out: Path
    record: dict[str, Any]

    @classmethod
    def begin(cls, out: Path, about: Mapping[str, Any]) -> Session:
        """Go on with a file's record, or begin one.

        Raises:
            InputError: the file holds something else, or another device's figures, or cannot be written.
        """
        held: dict[str, Any] = {}
        if out.exists():
            held = read_record(out, dict[str, Any])
            if "sections" not in held:
                raise InputError(f"{out}: holds no figures of this command; choose another --out")
            for name in SAME:
                if held.get(name) != about[name]:
                    raise InputError(f"{out}: holds figures of another {name} ({held.get(name)}); choose another --out")
        session = cls(out, {**about, "sections": held.get("sections", {})})
        session.save()
        return session

    def save(self) -> None:
        write_json(self.out, self.record)

    def run(self, name: str, section: Section, seconds: float) -> None:
        """Measure a section; whatever goes wrong in it is recorded, and the next may follow.

        Args:
            seconds: that it may take; entries that it has no time for it leaves out itself.
        """
        found: dict[str, Any] = {
            "state": "begun", "budget_seconds": seconds, "figures": [], "left_out": {},
            "run": {key: self.record[key] for key in RUN},
        }  # fmt: skip
        self.record["sections"][name] = found
        started = time.perf_counter()

        def keep(state: str, reason: str | None = None) -> None:
            found.update(state=state, seconds=time.perf_counter() - started)
            if reason is not None:
                found["reason"] = reason
            self.save()

        keep("begun")
        try:
            with enforced(GRACE * seconds):
                for entry in section(Deadline(seconds)):
                    if isinstance(entry, Figure):
                        found["figures"].append(entry.to_dict())
                    else:
                        found["left_out"][entry.name] = entry.reason
                    _tell(name, entry)
                    keep("begun")
        except TimeUp:
            keep("failed", f"not done after {GRACE * seconds:.0f} s")
        except KeyboardInterrupt:
            keep("failed", "interrupted")
            raise
        except Exception as error:  # whatever a section raises, the others go on
            keep("failed", sentence(error))
        else:
            keep("done" if found["figures"] else "failed", None if found["figures"] else "nothing could be measured")

    def figures(self, name: str) -> dict[str, float]:
        """Values of a section by name; none where it did not run."""
        section = self.record["sections"].get(name, {"figures": []})
        return {figure["name"]: figure["value"] for figure in section["figures"]}


def _tell(section: str, entry: Entry) -> None:
    said = f"{entry.value:.4g} {entry.unit}" if isinstance(entry, Figure) else f"left out: {entry.reason}"
    print(f"{section}, {entry.name}: {said}", file=sys.stderr, flush=True)
