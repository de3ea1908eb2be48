"""`python -m nextwave_scoring [--check | migrate]`."""

from nextwave_runtime.service import run

from nextwave_scoring.app import build
from nextwave_scoring.settings import ScoringSettings

if __name__ == "__main__":
    run("scoring", ScoringSettings, build, migrate="nextwave_scoring.migrations")
