"""`nextwave campaign` and `nextwave mapping`: what people own, kept as files, planned and applied through the services' API."""
