import { describeJourneys } from "./describe-journeys.ts";
import { startLocalStack } from "./local-stack.ts";

describeJourneys("processes", startLocalStack);
