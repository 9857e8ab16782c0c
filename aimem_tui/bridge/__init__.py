"""Coming and going: folders of texts, git histories and files of other formats.

``importer`` takes in a folder (``scan`` finds what is in it), ``git`` takes in a repository's
history (``repository`` asks the program git), ``exporter`` writes thoughts out (``target`` keeps
inside one folder, ``dumps`` makes the single files). ``files`` says what counts as text,
``sources`` remembers which file belongs to which thought, ``intake`` turns texts into entries.
"""
