// What answers on this device has the names and types that the page uses.

import type * as api from "./api.js";
import * as onnx from "../../../src/headstart/web/static/offline/api-onnx.js";

export const source: Pick<typeof api, keyof typeof api> = onnx;
