import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance, FastifySchema } from "fastify";

/** OpenAPI 3.1 at /openapi.json, made from the routes' schemas, and a page to browse it at /docs. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "fnbus", version: "1", description: "Functions on a message bus." },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
      security: [{ bearer: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`) },
    transform: ({ schema, url, route }) => {
      const { doc, scope } = route.config ?? {};
      const described = { ...schema, ...doc } as FastifySchema;
      return { schema: scope === undefined ? described : { ...described, ...toScopeNote(described, scope) }, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}

function toScopeNote(schema: FastifySchema, scope: string): { description: string } {
  const { description } = schema as { description?: string };
  return { description: [description, `Scope: \`${scope}\`.`].filter(Boolean).join("\n\n") };
}
