"""Many recordings: folders on one machine, archives on Ray.

`python -m otoscope.bulk` is `otoscope bulk`. It needs the extra `bulk`: Ray, Arrow and fsspec,
which are imported by `otoscope.bulk.run` only.
"""
