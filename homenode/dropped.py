"""Drivers of one file each, in the folder that ``drivers:`` of home.yaml names (`homenode.config.folder`).

A package whose files are those of that folder: ``homenode.dropped.meter`` is FOLDER/meter.py, also where a
driver has a process of its own. Nothing else stands here: a file of any name may come.
"""

__path__: list[str] = []
