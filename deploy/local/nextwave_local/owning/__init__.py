"""`nextwave campaign`: segments, templates, campaigns and policy kept as files, planned and applied through the owners' API."""
