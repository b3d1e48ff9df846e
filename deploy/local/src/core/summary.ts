export interface SummaryFacts {
  url: string;
  seconds: number;
  nats: string;
  redis: string | undefined;
  degraded: string[];
  services: readonly string[];
  /** Where events are sent over HTTP. */
  eventsUrl: string | undefined;
  dataFolder: string;
  keyFile: string;
}

/** What a person reads when the platform is up: under ten lines, the last one to paste. */
export const toSummary = (facts: SummaryFacts): string[] => [
  `fnbus is ready after ${facts.seconds.toFixed(1)} s: ${facts.url}  (API and its page: ${facts.url}/docs)`,
  `  services  ${facts.services.join(", ")}`,
  ...(facts.eventsUrl ? [`  events    ${facts.eventsUrl}/events/{space}/{trigger}`] : []),
  `  servers   NATS ${facts.nats}${facts.redis ? `; Redis ${facts.redis}` : ""}`,
  ...facts.degraded.map((text) => `  degraded  ${text}`),
  `  data      ${facts.dataFolder}`,
  `  admin key ${facts.keyFile}`,
  `Try: curl ${facts.url}/v1/whoami -H "Authorization: Bearer $(cat ${facts.keyFile})"`,
];
