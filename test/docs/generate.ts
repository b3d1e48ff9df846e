import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorsPage } from "./errors-page.ts";
import { withSettings } from "./settings-section.ts";
import { subjectsPage } from "./subjects-page.ts";

const docs = join(import.meta.dirname, "../../docs");

/** Writes the pages that are made from the contract and from the configurations. `npm run docs`; a test fails when they differ. */
await writeFile(join(docs, "errors.md"), errorsPage());
await writeFile(join(docs, "subjects.md"), subjectsPage());
await writeFile(join(docs, "operations.md"), withSettings(await readFile(join(docs, "operations.md"), "utf8")));
