import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorsPage } from "./errors-page.ts";
import { subjectsPage } from "./subjects-page.ts";

const docs = join(import.meta.dirname, "../../docs");

/** Writes the pages that are made from the contract. `npm run docs`; a test fails when they differ. */
await writeFile(join(docs, "errors.md"), errorsPage());
await writeFile(join(docs, "subjects.md"), subjectsPage());
