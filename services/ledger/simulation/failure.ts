/** An invariant did not hold: the seed is to be replayed. */
export class SimulationFailure extends Error {}
