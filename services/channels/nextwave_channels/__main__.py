"""`python -m nextwave_channels`: run, `migrate`, `--check`."""

from nextwave_runtime.service import run

from nextwave_channels.app import build
from nextwave_channels.settings import ChannelsSettings

if __name__ == "__main__":
    run("channels", ChannelsSettings, build, migrate="nextwave_channels.migrations")
