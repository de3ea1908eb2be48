"""Traces across topics: a sampled `traceparent` becomes a span here and goes on in the messages that it caused."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("nextwave")


def configure(service: str, endpoint: str) -> None:
    """Exports spans to an OTLP/HTTP collector; without an endpoint spans are made and propagated only."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    if endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  (0.3 s, rarely needed)

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


def child(traceparent: str, name: str, **attributes: str | int) -> str:
    """The `traceparent` for what this step causes: a span of its own when the trace is sampled, else the same text."""
    if not traceparent.endswith("01"):
        return traceparent
    context = _propagator.extract({"traceparent": traceparent})
    with _tracer.start_as_current_span(name, context=context, attributes=attributes, end_on_exit=True) as span:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent", traceparent)
