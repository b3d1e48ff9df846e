import { beforeAll } from "vitest";
import { buildImage, startContainerStack } from "./container-stack.ts";
import { describeJourneys } from "./describe-journeys.ts";

beforeAll(buildImage);
describeJourneys("containers", startContainerStack);
