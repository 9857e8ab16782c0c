"""What a relay counts and measures, for Prometheus.

A registry of its own, so that several relays in one process do not mix. No label ever names a
workspace, a thought or a person: a label has few values, and all of them are known beforehand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

PREFIX = "aimem_relay"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_TIMES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Times(Collector):
    """A histogram of times that costs next to nothing to add to: one is added for each frame.

    The library's own takes locks, which one event loop does not need.
    """

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._text = text
        self._counts = [0] * (len(_TIMES) + 1)
        self._sum = 0.0
        registry.register(self)

    def add(self, seconds: float) -> None:
        """Note how long something took."""
        self._counts[bisect_left(_TIMES, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterable[Metric]:
        """What Prometheus reads."""
        buckets, total = [], 0
        for most, count in zip((*map(str, _TIMES), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((most, total))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, self._sum)
        return [family]


class Metrics:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", text, registry=registry)

        def histogram(name: str, text: str) -> Times:
            return Times(f"{PREFIX}_{name}", text, registry)

        self.acknowledged = counter(
            "acknowledged_records", "Entries and checkpoints acknowledged to clients."
        )
        self.delivered = counter("delivered_frames", "Frames handed to connections, of any kind.")
        self.commit_seconds = histogram(
            "commit_seconds", "From the arrival of a frame to its commit."
        )
        self.deliver_seconds = histogram(
            "deliver_seconds", "From a commit to when it was handed to all that could take it."
        )
        self.queue_bytes = gauge("queue_bytes", "Bytes received and not yet committed.")
        self.unfinished_bytes = gauge(
            "unfinished_bytes", "Bytes held of messages that have begun and not ended."
        )
        self.resyncs = counter("resyncs", "Times that a client was asked for its stream anew.")
        self.fetches = counter("fetches", "Parts of a log read from the ledger for a connection.")
        self.refused = counter("refused_frames", "Frames that ended a connection.", "reason")
        self.turned_away = counter(
            "turned_away", "Connections not let in for lack of room.", "reason"
        )
        self.closed = counter("closed_connections", "Connections that have ended.", "code")
        self.slow = counter("slow_connections", "Connections dropped because they took nothing.")
        self.crowded_out = counter(
            "crowded_out_connections",
            "Connections dropped because too much was held of messages that had not ended.",
        )
        self.connections = gauge("connections", "Connections at present.")
        self.rooms = gauge("rooms", "Workspaces with connections at present.")
        self.presences = gauge("presences", "Presences known at present.")
        self.ledger_degraded = gauge(
            "ledger_degraded", "1 while the ledger cannot store, and nothing is acknowledged."
        )
        self.bus_lost = gauge("bus_lost", "1 while other pods are followed by polling.")
        self.checkpoints = counter("checkpoints", "Checkpoints by what became of them.", "result")
        self.checkpoint_lag = gauge(
            "checkpoint_lag", "Thoughts that were due for a checkpoint at the last look."
        )

    def page(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry)
