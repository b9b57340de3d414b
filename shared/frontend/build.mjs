// Builds dist/: one style sheet, one script, one icon. Python gives the files their hashed names.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "sass";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = `${here}dist/`;

mkdirSync(dist, { recursive: true });
const { css } = compile(`${here}examhall.scss`, {
  loadPaths: [`${here}node_modules/govuk-frontend/dist`],
  style: "compressed",
  quietDeps: true,
});
writeFileSync(`${dist}examhall.css`, css);
// Comments and indentation are for us; a phone need not load them.
const script = readFileSync(`${here}examhall.js`, "utf8");
writeFileSync(`${dist}examhall.js`, script.replace(/^\s*(\/\/.*\n)?/gm, ""));
copyFileSync(`${here}favicon.svg`, `${dist}favicon.svg`);
