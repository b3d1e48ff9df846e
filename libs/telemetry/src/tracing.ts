import { randomBytes } from "node:crypto";
import { ROOT_CONTEXT, type Span, SpanKind, TraceFlags, type Tracer, trace } from "@opentelemetry/api";

/** Trace context travels as W3C traceparent text in envelopes; spans are made for sampled ones only (two always-on spans cost 20 %). */
export interface Tracing {
  /** The caller's traceparent where it is well formed, else a new one, sampled at `ratio`. undefined: tracing is off and none came in. */
  accept(incoming: string | undefined): string | undefined;
  /** A span below `traceparent`, or undefined where it is not sampled or tracing is off. The caller ends it. */
  span(name: string, traceparent: string | undefined, attributes?: Record<string, string | number>): Span | undefined;
  /** The traceparent to hand on from below a span. */
  childOf(span: Span | undefined, traceparent: string | undefined): string | undefined;
  stop(): Promise<void>;
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Exports by OTLP where `endpoint` is set (OTEL_EXPORTER_OTLP_ENDPOINT); otherwise traceparents are only passed on, and
 * the SDK is not even loaded: it costs 150 ms and 35 MB a process.
 */
export async function createTracing(
  service: string,
  options: { endpoint?: string; ratio?: number } = {},
): Promise<Tracing> {
  let sdk: { shutdown(): Promise<void> } | undefined;
  let tracer: Tracer | undefined;
  if (options.endpoint) {
    sdk = await startSdk(service);
    tracer = trace.getTracer("fnbus");
  }
  const ratio = options.ratio ?? 0.05;
  return {
    accept(incoming) {
      if (incoming !== undefined && pattern.test(incoming)) return incoming;
      if (!tracer) return undefined;
      const bytes = randomBytes(24).toString("hex");
      return `00-${bytes.slice(0, 32)}-${bytes.slice(32)}-${Math.random() < ratio ? "01" : "00"}`;
    },
    span(name, traceparent, attributes) {
      const match = traceparent === undefined || !tracer ? null : pattern.exec(traceparent);
      if (!match || (Number.parseInt(match[3]!, 16) & TraceFlags.SAMPLED) === 0) return undefined;
      const parent = trace.setSpanContext(ROOT_CONTEXT, {
        traceId: match[1]!,
        spanId: match[2]!,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      });
      return tracer!.startSpan(name, { kind: SpanKind.INTERNAL, ...(attributes ? { attributes } : {}) }, parent);
    },
    childOf(span, traceparent) {
      if (!span) return traceparent;
      const { traceId, spanId } = span.spanContext();
      return `00-${traceId}-${spanId}-01`;
    },
    stop: async () => sdk?.shutdown(),
  };
}

async function startSdk(service: string): Promise<{ shutdown(): Promise<void> }> {
  const [{ NodeSDK }, { resourceFromAttributes }, { ATTR_SERVICE_NAME }] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/semantic-conventions"),
  ]);
  const sdk = new NodeSDK({ resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: service }), instrumentations: [] });
  sdk.start();
  return sdk;
}
