// What answers on this device has the names that the page uses.

import type * as api from "./api.js";
import * as onnx from "../../../src/headstart/web/static/offline/api-onnx.js";

export const names: Record<keyof typeof api, unknown> = onnx;
