// Both sources of answers have the names and types that the page uses.

import type * as api from "./api.js";
import * as rest from "../../src/headstart/web/static/api-rest.js";

export const source: Pick<typeof api, keyof typeof api> = rest;
