import {
  defaultSettings,
  type FunctionDefinition,
  type FunctionSettings,
  type RegisteredFunction,
} from "@fnbus/contract";

export const settings = (over: Partial<FunctionSettings> = {}): FunctionSettings => ({
  ...defaultSettings,
  runtime: "nodejs",
  handler: "index.handler",
  ...over,
});

export const functionOf = (over: Partial<FunctionDefinition> = {}): RegisteredFunction => ({
  revision: 1,
  definition: {
    ...{ id: "01900000-0000-7000-8000-000000000001", space: "s", name: "f", partition: 0, status: "Running" },
    ...{ settings: settings(), createdAt: 0, updatedAt: 0 },
    ...over,
  },
});
