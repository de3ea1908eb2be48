"""`python -m nextwave_ingest`: runs the service."""

from nextwave_runtime.service import run

from nextwave_ingest.app import build
from nextwave_ingest.settings import IngestSettings

if __name__ == "__main__":
    run("ingest", IngestSettings, build)
