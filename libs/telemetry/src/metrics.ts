import type { Counter, Histogram, ObservableGauge } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";

/** Metrics of one service: instruments of the OpenTelemetry API, and their text for a Prometheus scrape. */
export interface Metrics {
  counter(name: string, description: string): Counter;
  histogram(name: string, description: string, unit: string): Histogram;
  /** `read` is called at each scrape and gives values with their attributes. */
  gauge(
    name: string,
    description: string,
    read: () => Iterable<[value: number, attributes?: Record<string, string>]>,
  ): ObservableGauge;
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
      gauge.addCallback((result) => {
        for (const [value, attributes] of read()) result.observe(value, attributes);
      });
      return gauge;
    },
    scrape: async () => serializer.serialize((await exporter.collect()).resourceMetrics),
    stop: () => provider.shutdown(),
  };
}
