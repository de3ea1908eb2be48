"""`python -m nextwave_local` is the `nextwave` command, so that its image starts like the services' images."""

from nextwave_local.command import app

app(prog_name="nextwave")
