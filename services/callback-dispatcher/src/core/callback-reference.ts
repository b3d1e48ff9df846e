/** What a job in Redis holds of a callback: where it stands, never what it says. */
export interface CallbackReference {
  id: string;
  partition: number;
  /** The outcome's place in OUTCOMES. */
  sequence: number;
  index: number;
  space: string;
  /** Host and port of the URL: what limits and pauses are counted by. */
  host: string;
  /** Tries so far. */
  attempts: number;
  /** When it began to wait, ms since 1970: it is given up when it is older than allowed. */
  since: number;
  /** Which redrive this is; 0: the delivery of the outcome itself. */
  redrive: number;
}

/** Of first tries to one host that stand in one message of OUTCOMES, so many are one job. */
export const SERIES = 32;

/** The id of a job of its own: the same callback is the same job, whoever adds it again. */
export const toJobId = (reference: Pick<CallbackReference, "id" | "redrive">): string =>
  reference.redrive === 0 ? `cb-${reference.id}` : `cb-${reference.id}-${reference.redrive}`;

/** Host and port that a URL's callbacks are counted by; "invalid" where the text is no URL. */
export const hostOf = (url: string): string => URL.parse(url)?.host ?? "invalid";

/** The reference alone, of what knows more. */
export const toReference = (of: CallbackReference): CallbackReference => ({
  id: of.id,
  partition: of.partition,
  sequence: of.sequence,
  index: of.index,
  space: of.space,
  host: of.host,
  attempts: of.attempts,
  since: of.since,
  redrive: of.redrive,
});
