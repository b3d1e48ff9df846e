/** A message as a trigger's connection got it. */
export interface Message {
  topic: string;
  payload: Uint8Array;
  /** It was kept by the broker, and comes because of a subscription. */
  retain: boolean;
  contentType?: string;
  /** User properties of MQTT 5, in order. */
  properties: readonly (readonly [name: string, value: string])[];
  /** Of the subscriptions that brought it, where the broker says so. */
  subscriptions: readonly number[];
}
