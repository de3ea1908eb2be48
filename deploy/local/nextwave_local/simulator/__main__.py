"""`python -m nextwave_local.simulator`."""

import asyncio

from nextwave_local.simulator.app import serve
from nextwave_local.simulator.settings import SimulatorSettings

if __name__ == "__main__":
    asyncio.run(serve(SimulatorSettings()))
