"""Many recordings: folders on one machine, archives on Ray.

`python -m otoscope.bulk` is `otoscope bulk`. What it needs besides, the extra `bulk` brings: Ray,
Arrow and fsspec, which are loaded by `otoscope.bulk.run` alone.
"""
