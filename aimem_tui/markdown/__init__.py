"""What a thought's text and path say: properties, title, kind, tasks, links; the rules of paths.

Everything here is a pure function over strings: no files, no SQL, no documents. What is read is
derived and never a second truth; what is written comes back as splices of the text.

- ``frontmatter``: the properties at the top of a text, read leniently and edited line by line.
- ``describe``: all that is derived from a text and its path.
- ``paths``: which paths a thought may have, and how equal ones are told apart.

The other modules serve these three.
"""
