/** A schedule that was read: when it comes due. Pure: times are ms since 1970. */
export interface Schedule {
  /** The first tick after `afterMs` (exclusive), or undefined where there is none within eight years. */
  next(afterMs: number): number | undefined;
  /** The zone that its times are in, an IANA name. */
  timezone: string;
}
