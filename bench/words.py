"""The words that made-up texts begin with; the more frequent ones come first."""

from __future__ import annotations

_FUNCTION = """
the of and to a in is that for it as was with be by on not this are or from at which but have an
they you we all can has there been if more when will would who so no out up into them then its
only some could time these two may first any like now our over new also after use should how
each make most other where through just those before between because does during while
"""
_TEAM = """
plan test file change session error code data user request server build branch review issue
release version client token cache index query table schema migration deploy cluster service
endpoint handler module package import export search result thought note document section editor
buffer cursor screen widget layout theme command option setting path folder link title tag
status owner author team member agent memory prompt model context window tool call decision
option risk cost benefit goal scope phase step task milestone estimate deadline research finding
question answer evidence source reference summary detail example pattern design interface
contract protocol message event queue stream batch worker thread process lock race retry timeout
backoff failure recovery backup restore snapshot checkpoint replica sync conflict merge diff
patch commit rebase revert history revision timeline metric alert dashboard latency throughput
budget limit quota rate burst load profile trace log debug fixture mock coverage regression
benchmark baseline secret password key certificate login role permission policy audit privacy
consent retention region zone network socket packet header payload response body cookie proxy
gateway router ingress container image registry volume pod node operator chart template value
variable environment pipeline stage job runner artifact
"""
_TAGS = "auth api storage sync search editor release infra cost security"
_MORE_TAGS = "ux onboarding incident perf testing docs mobile billing data agents"
_AUTHORS = "ann bea carlo dmitri esra fatima goran hana iris jonas kemi luca"

FUNCTION_WORDS = _FUNCTION.split()
"""What every text is full of."""

TEAM_WORDS = _TEAM.split()
"""What people write about who make software."""

TAGS = [*_TAGS.split(), *_MORE_TAGS.split()]
AUTHORS = _AUTHORS.split()
