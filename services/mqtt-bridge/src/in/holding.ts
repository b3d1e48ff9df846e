/** The right to sessions at brokers, which one replica has at a time. */
export interface Held {
  /** Part of the sessions' names. */
  slot: number;
  /** Whether it surely still is ours. */
  isSafe(): boolean;
}

/** Where such a right comes from. */
export interface Holding {
  /** Tells when it is held, and when it is lost (undefined); at once where it is held already. Gives what ends it. */
  follow(listener: (held: Held | undefined) => void): () => Promise<void>;
}
