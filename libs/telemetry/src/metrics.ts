import type { Counter, Histogram, ObservableCounter, ObservableGauge, ObservableResult } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";

type ReadValues = () => Iterable<[value: number, attributes?: Record<string, string>]>;

/** Metrics of one service: instruments of the OpenTelemetry API, and their text for a Prometheus scrape. */
export interface Metrics {
  counter(name: string, description: string): Counter;
  histogram(name: string, description: string, unit: string): Histogram;
  /** `read` is called at each scrape and gives values with their attributes. */
  gauge(name: string, description: string, read: ReadValues): ObservableGauge;
  /** A counter that somebody else keeps, read at each scrape: for what every call adds to. */
  total(name: string, description: string, read: ReadValues): ObservableCounter;
  /** Prometheus text format. */
  scrape(): Promise<string>;
  stop(): Promise<void>;
}

export function createMetrics(service: string): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: service }),
    readers: [exporter],
  });
  const meter = provider.getMeter("fnbus");
  const serializer = new PrometheusSerializer();
  return {
    counter: (name, description) => meter.createCounter(name, { description }),
    histogram: (name, description, unit) => meter.createHistogram(name, { description, unit }),
    gauge(name, description, read) {
      const gauge = meter.createObservableGauge(name, { description });
      gauge.addCallback(observe(read));
      return gauge;
    },
    total(name, description, read) {
      const total = meter.createObservableCounter(name, { description });
      total.addCallback(observe(read));
      return total;
    },
    scrape: async () => serializer.serialize((await exporter.collect()).resourceMetrics),
    stop: () => provider.shutdown(),
  };
}

const observe =
  (read: ReadValues) =>
  (result: ObservableResult): void => {
    for (const [value, attributes] of read()) result.observe(value, attributes);
  };
